// The shapes the server answers with, as the API contract names them. One place, so that screens never invent their own.
// Times are RFC 3339 with +08:00, ids are strings (UUIDv7), lists page by cursor.

export type Id = string
export type Instant = string

export interface Page<T> {
  items: T[]
  next: string | null
}

/** One named thing, as it appears inside others. */
export interface Ref {
  id: Id
  name: string
}

export interface AreaRef extends Ref {
  full_name?: string
  level_name?: string
}

export interface CategoryRef {
  code: string
  name: string
}

// ---------------------------------------------------------------- examination

export interface Finding {
  code: string
  severity: 'severe' | 'warning' | 'note'
  zh: string
  en: string
  /** What to do. */
  do_zh: string
  do_en: string
}

/** What an examination of the installation found, the worst first. */
export interface Examination {
  at: Instant
  findings: Finding[]
}

// ---------------------------------------------------------------- access

export type PermissionKey =
  | 'case.intake'
  | 'case.read'
  | 'case.reporter'
  | 'case.dispatch'
  | 'case.handle'
  | 'case.answer'
  | 'case.verify'
  | 'case.approve'
  | 'case.arbitrate'
  | 'case.supervise'
  | 'case.import'
  | 'case.export'
  | 'board.read'
  | 'territory.manage'
  | 'workforce.read'
  | 'workforce.manage'
  | 'account.manage'
  | 'pack.manage'
  | 'job.manage'
  | 'outbox.manage'
  | 'ledger.read'
  | 'audit.read'
  | 'registry.read'
  | 'registry.write'
  | 'registry.reveal'
  | 'registry.erase'
  | 'registry.import'
  | 'campaign.manage'
  | 'project.read'
  | 'project.manage'
  | 'register.manage'
  | 'export.approve'
  | 'field.use'

export interface GrantView {
  role: string
  role_name: string
  /** None: the whole jurisdiction. */
  area: AreaRef | null
  unit: Ref | null
}

/** The account that is signed in. */
export interface Me {
  id: Id
  login: string
  name: string
  worker_id?: Id | null
  unit?: Ref | null
  grants: GrantView[]
  permissions: string[]
  lang: string
  must_change_password: boolean
  totp_enabled: boolean
  home: 'desk' | 'field'
}

export interface SessionView {
  id: string
  created_at: Instant
  seen_at: Instant
  user_agent: string
  current: boolean
}

export interface TotpSetup {
  secret: string
  uri: string
  qr_svg: string
}

export interface Account {
  id: Id
  login: string
  name: string
  worker_id?: Id | null
  state: 'active' | 'disabled'
  must_change_password?: boolean
  totp_enabled?: boolean
  locked_until?: Instant | null
  created_at?: Instant
  grants: GrantView[]
}

export interface GrantInput {
  role: string
  area_id?: Id | null
  unit_id?: Id | null
}

/** Another system that has a key. */
export interface Partner {
  id: Id
  name: string
  purpose: string
  contact: string
  key_end: string
  area: { id: Id; code: string; name: string } | null
  may_report: boolean
  may_update: boolean
  answers: 'realtime' | 'batch' | 'blackbox'
  created_at: Instant
  created_name: string
  revoked_at: Instant | null
  revoked_name: string | null
  use_count: number
  last_used_at: Instant | null
}

/** One use of a partner's key. */
export interface Webhook {
  id: string
  partner_id: string
  url: string
  told_until: string
  created_at: string
  created_name: string
  stopped_at?: string | null
  /** Who stopped it; `gone` when the receiver answered 410. */
  stopped_by?: string | null
}

export interface WebhookMessage {
  /** The `webhook-id` it is sent with. */
  id: string
  at: string
  kind: string
  number: string
  body: string
  state: string
  attempts: number
  next_at?: string | null
  outcome?: string | null
  outcome_text?: string | null
  ended_at?: string | null
}

/** A way residents write short messages. */
export type TextChannel = 'sms' | 'public_account'

/** How a channel of text is connected, and today's use. */
export interface ChannelSettings {
  kind?: 'signed' | 'kannel' | 'wechat' | 'stand_in' | null
  gateway?: string | null
  sender?: string | null
  messages_today: number
  messages_most?: number | null
  parts_today: number
  parts_most?: number | null
  per_contact: number
  can_try: boolean
}

/** One message of either way. */
export interface TextMessage {
  id: string
  direction: 'in' | 'out'
  at: string
  contact_masked: string
  kind: string
  number?: string | null
  parts: number
  state: string
  attempts: number
  next_at?: string | null
  outcome_text?: string | null
  text?: string | null
}

/** A line of a conversation the demo plays. */
export interface TrialLine {
  id: string
  own: boolean
  at: string
  text: string
  parts: number
  state: string
}

/** Counts of handovers in one direction, as one side knows them. */
export interface PeerCounts {
  passed_on: number
  accepted: number
  answered: number
  closed: number
  returned: number
  withdrawn: number
  overdue: number
}

/** The last comparison of figures with another platform. */
export interface PeerCompared {
  ours: { out: PeerCounts; in: PeerCounts }
  theirs: { out: PeerCounts; in: PeerCounts }
  differences: number
  only_there: string[]
}

/** Another platform cases are passed to and taken from. */
export interface Peer {
  id: Id
  name: string
  relation: 'upper' | 'lower' | 'side'
  url: string
  fingerprint: string
  purpose: string
  contact: string
  area_name: string | null
  categories: string[]
  may_personal: boolean
  takes: boolean
  active_from: Instant
  active_to: Instant | null
  active: boolean
  confirmed_at: Instant | null
  ended_at: Instant | null
  compared_at: Instant | null
  compared: PeerCompared | null
  agrees: boolean | null
  compare_failed: string | null
}

/** A message of another platform that was refused. */
export interface PeerRefusal {
  id: Id
  at: Instant
  text: string
  verb: string
  verb_name: string
}

/** A case passed on to another platform, or taken from one. */
export interface Handover {
  id: Id
  case_id: Id
  number: string
  title: string
  state: CaseState
  state_name: string
  late: boolean
  due_at: Instant | null
  peer_name: string
  role: 'out' | 'in'
  phase: 'offered' | 'accepted' | 'answered' | 'closed' | 'returned' | 'withdrawn'
  phase_name: string
  purpose: string
  personal: boolean
  by_name: string | null
  peer_number: string | null
  peer_due_at: Instant | null
  asks: boolean
  rounds: number
  stuck: string | null
  differs: string | null
  waiting: number
  photos_come: number
  photos: number
  created_at: Instant
  changed_at: Instant
  can: string[]
}

/** One message of a handover: what was shared. */
export interface HandoverMessage {
  id: Id
  way: 'out' | 'in'
  seq: number
  verb: string
  verb_name: string
  at: Instant
  text: string
  fields: string[]
  photos: number
  state: 'waiting' | 'done' | 'refused'
  attempts: number
  next_at: Instant | null
  outcome: string | null
}

/** A platform a case may be passed to, or why not. */
export interface PeerChoice {
  id: Id
  name: string
  relation: 'upper' | 'lower' | 'side'
  purpose: string
  may_personal: boolean
  refusal: string | null
}

/** Handovers of a case, and where it may be passed on to. */
export interface CaseHandovers {
  items: Handover[]
  peers: PeerChoice[]
  refusal: string | null
}

export interface PartnerUse {
  id: Id
  at: Instant
  call: string
  outcome: string
  count: number
  numbers: string[]
}

export interface Role {
  key: string
  name: string
  name_zh?: string
  name_en?: string
  permissions: string[]
}

export interface AccessEntry {
  id: Id
  at: Instant
  account_id: Id | null
  account_name: string | null
  actor: string
  purpose: string
  reason: string | null
  subject_kind: string
  subject_id: string | null
  fields: string[]
  case_id: Id | null
}

// ---------------------------------------------------------------- place

export interface LevelView {
  key: string
  name: string
  name_en: string
  depth: number
}

/** What the installation is: shown before anybody signs in. */
export interface Place {
  jurisdiction: { code: string; name: string }
  pack: { key: string; name: string; version: string }
  levels: LevelView[]
  center: { lon: number; lat: number }
  bounds: [number, number, number, number] | null
  base_map: null | { style_url?: string; tiles?: string; attribution?: string }
  channels: { key: string; name: string }[]
  outbox_gateway: boolean
  demo: boolean
}

export interface CategoryNode {
  code: string
  name: string
  name_en: string
  group?: string | null
  urgent: boolean
  must_report: boolean
  public: boolean
  hint?: string | null
  children: CategoryNode[]
}

export interface CalendarDay {
  date: string
  kind: 'work' | 'rest' | 'makeup' | 'half'
  name: string | null
}

export interface PackLine {
  key: string
  name: string
  value: string
  /** A clause id, or that it is our assumption. */
  source: string
}

export interface PackCategory {
  code: string
  name: string
  kind: string
  urgent: boolean
  must_report: boolean
  public: boolean
  filing: string
  closing: string
  source: string
  children: PackCategory[]
}

/** A file of one year of the calendar, tried or taken in. */
export interface ImportedYear {
  year: number
  days: number
  named: { date: string; kind: 'rest' | 'makeup' | 'half'; name: string }[]
}

/** One problem of a pack's folder; line 0 is the file as a whole. */
export interface PackProblem {
  file: string
  line: number
  code: string
  message: string
}

/** A list taken out, or asked for. */
export interface ExportView {
  id: Id
  state: 'small' | 'waiting' | 'approved' | 'refused'
  rows: number
  format: string
  reason: string
  asked_name: string
  own: boolean
  created_at: Instant
  expires_at: Instant
  decided_name: string | null
  decided_at: Instant | null
  file_url: string | null
}

/** The rule pack in force. */
export interface PackView {
  key: string
  name: string
  version: string
  number: number
  digest: string
  jurisdiction: string
  categories: PackCategory[]
  bodies: { key: string; name: string; kind: string; levels: string[]; source: string }[]
  duties: { key: string; name: string }[]
  return_reasons: { key: string; name: string }[]
  sections: { key: string; lines: PackLine[] }[]
}

export interface Area {
  id: Id
  code: string
  name: string
  level: string
  level_name: string
  depth: number
  parent_id: Id | null
  full_name: string
  kind?: 'urban' | 'rural' | null
  child_count: number
  lon: number | null
  lat: number | null
}

export interface WorkerBrief {
  id: Id
  name: string
  badge_no: string
}

/** The time one worker is in a visiting team. */
export interface TeamMember {
  id: Id
  worker: WorkerBrief | null
  valid_from: string
  valid_to: string | null
  present: boolean
}

/** A visiting team: the unit that sends it, its liaison in the grid, where it goes, who goes. */
export interface Team {
  id: Id
  name: string
  unit: Ref
  liaison: WorkerBrief | null
  areas: { id: Id; name: string; level_name: string }[]
  members: TeamMember[]
  valid_from: string
  valid_to: string | null
  in_force: boolean
  may_change: boolean
}

/** Who has a post's work now; no worker is a gap. */
export interface OnDuty {
  worker: WorkerBrief | null
  seat: 'A' | 'B' | null
  because: 'vacant' | 'on_leave' | 'off_duty' | null
  gap: boolean
}

export interface AreaDetail extends Area {
  chain: { id: Id; name: string; level_name: string }[]
  units: Unit[]
  grid_worker: null | { post_id: Id; unit_id: Id; holder: WorkerBrief | null; stand_in: WorkerBrief | null; on_duty: OnDuty }
}

export interface Located {
  area: Area | null
  chain: Ref[]
  rule: string | null
  territory_version: number
}

export interface AddressHit {
  text: string
  area_id: Id
  area_name: string
  lon: number | null
  lat: number | null
}

export interface RowProblem {
  row: number
  column?: string | null
  code: string
  message: string
}

export interface ImportReport {
  rows: number
  ok?: number
  created?: number
  /** Of areas. */
  renamed?: number
  boundaries?: number
  problems: RowProblem[]
  /** Columns of the file that were not taken over. */
  ignored_columns?: string[]
}

// ---------------------------------------------------------------- workforce

export interface Unit {
  id: Id
  code: string
  name: string
  public_name: string
  kind: 'centre' | 'bureau' | 'station' | 'committee' | 'partner'
  /** Key of the pack's responsible body this unit is. */
  body: string
  area: { id: Id; name: string; level_name: string } | null
  parent_id: Id | null
  phone: string
  office: string
  hours: string
}

export interface Appointment {
  id: Id
  post_id: Id
  worker: WorkerBrief | null
  seat: 'A' | 'B'
  valid_from: string
  valid_to: string | null
}

export interface PostView {
  id: Id
  unit_id: Id
  area: Ref | null
  name: string
  duty: string
  duty_name: string
  shift: string | null
  holder: WorkerBrief | null
  stand_in: WorkerBrief | null
  on_duty: OnDuty
  appointments: Appointment[]
}

export interface UnitDetail extends Unit {
  posts: PostView[]
  gaps: number
}

export interface Leave {
  id: Id
  from: Instant
  to: Instant
  reason: string
}

export interface WorkerDetail extends WorkerBrief {
  phone: string
  active: boolean
  appointments: (Appointment & { post_name: string; unit_id: Id; unit_name: string })[]
  leaves: Leave[]
}

export interface PostGap {
  post: PostView
  unit: Unit
}

export interface PostGaps extends Page<PostGap> {
  /** Grids that have not just one worker of their own; the first of them. */
  grids: { area: AreaRef; code: string; message: string }[]
  grid_count: number
}

/** A post with who sits in it today. */
export interface MapPost {
  id: Id
  name: string
  duty: string
  duty_name: string
  unit_id: Id
  holder: WorkerBrief | null
  stand_in: WorkerBrief | null
}

/** The three maps of a community. */
export interface AreaMaps {
  area: AreaRef
  full_name: string
  above: AreaRef[]
  border: import('geojson').Geometry | null
  grids: { area: AreaRef & { code: string }; outline: import('geojson').Geometry | null; dwellings: number; households: number; people: number; posts: MapPost[] }[]
  units: { unit: Unit; above: Id | null; posts: MapPost[] }[]
  /** Milliseconds. */
  at: number
}

// ---------------------------------------------------------------- cases

export type CaseState =
  | 'received'
  | 'accepted'
  | 'assigned'
  | 'handling'
  | 'handled'
  | 'answered'
  | 'verified'
  | 'closed'
  | 'declined'
  | 'parked'
  | 'merged'
  | 'withdrawn'

export interface CaseBrief {
  id: Id
  number: string
  title: string
  category: CategoryRef | null
  state: CaseState
  state_name: string
  urgent: boolean
  supervised: boolean
  area: AreaRef | null
  unit: Ref | null
  worker: Ref | null
  due_at: Instant | null
  due_step: string | null
  late: boolean
  /** Another platform handles it now. */
  away: boolean
  remaining_text: string | null
  received_at: Instant
  channel: string
  /** The visiting team that heard it. */
  team: Ref | null
  reporter_count: number
  returned_count: number
  lon: number | null
  lat: number | null
  row_version: number
}

export interface NearbyCase extends CaseBrief {
  distance_m?: number | null
  similarity?: number | null
}

export interface CaseReport {
  id: Id
  /** What handlers see instead of a name: `诉求人 1`. */
  label: string
  channel: string
  received_at: Instant
  body: string
  reporter: { id: Id; name_masked: string | null; phone_masked: string | null } | null
  anonymous: boolean
  answered: boolean
  withdrawn: boolean
}

export interface CaseEvent {
  seq: number
  at: Instant
  kind: string
  kind_name: string
  actor_name: string | null
  unit_name: string | null
  text: string | null
  body: Record<string, unknown> | null
}

export interface CaseClock {
  id: Id
  party: string
  party_name: string
  step: string
  step_name: string
  state: 'running' | 'paused' | 'stopped'
  due_at: Instant | null
  warn_at: Instant | null
  late: boolean
}

export interface CoHandler {
  id: Id
  unit: Ref
  part: string
  state: string
  state_name?: string
  due_at: Instant | null
  result: string | null
}

export interface CaseRequest {
  id: Id
  kind: 'extension' | 'pause' | 'park'
  kind_name?: string
  asked_by: string
  asked_at?: Instant
  reason: string
  until: Instant | null
  days?: number | null
  state: string
  decided_by: string | null
  decided_at: Instant | null
  note: string | null
}

export interface Answer {
  id: Id
  by: string
  way: string
  body: string
  resident_said: string | null
  solved: boolean | null
  rating: number | null
  at: Instant
}

export interface VerificationView {
  id: Id
  by: string
  result: string
  note: string | null
  at: Instant
}

/** The work order a case is a share of, or was found in. */
export interface OrderRef {
  id: Id
  number: string
  title: string
  unit_name: string
  due_on: string | null
  role: string
  cancelled: boolean
}

export interface OrderProgress {
  shares: number
  waiting: number
  passed: number
  carried_out: number
  fed_back: number
  late: number
  problems: number
  problems_open: number
}

export interface OrderBrief {
  id: Id
  number: string
  title: string
  unit: Ref
  category: CategoryRef
  state: string
  created_at: Instant
  created_by: string
  due_on: string | null
  late: boolean
  progress: OrderProgress
}

export interface OrderShare {
  case: CaseBrief
  liaison: string | null
  may_pass: boolean
  result: string | null
  answer: string | null
  answered_at: Instant | null
  problems: number
  photos: AttachmentView[]
}

export interface OrderDetail extends OrderBrief {
  body: string
  steps: { key: string; name: string; done: number; of: number | null }[]
  shares: OrderShare[]
  problems: CaseBrief[]
  own: boolean
  cancel_refusal: null | { code: string; message: string }
  take_back_refusal: null | { code: string; message: string }
  cancelled_at: Instant | null
  cancelled_by: string | null
  note: string | null
}

/** A share on the liaison's list. */
export interface ShareItem {
  case: CaseBrief
  order: OrderRef
  may_pass: boolean
}

/** A mediation that was held. */
export interface MediationView {
  id: Id
  rung: string
  mediator: string
  held_on: string
  outcome: string
  outcome_name: string
  words: string
  next: string | null
  follow_up_on: string | null
  followed_up_at: Instant | null
  followed_up_by: string | null
  kept: boolean | null
  follow_up_note: string | null
}

/** An agreement whose follow-up is owed. */
export interface FollowUp {
  case: CaseBrief
  mediation: MediationView
  late: boolean
}

export interface AttachmentView {
  hash: string
  thumb_url: string
  url: string
  stage: 'report' | 'before' | 'after' | 'answer'
  mime: string
  width: number | null
  height: number | null
}

export interface ActionView {
  key: string
  name: string
  enabled: boolean
  refusal: null | { code: string; message: string }
}

export interface CategorySuggestion {
  code: string
  name: string
  confidence: number
  reasons: string[]
}

export interface CaseDetail extends CaseBrief {
  body: string
  /** What the person may do with this case, as permission keys. */
  permissions: string[]
  address: string | null
  place_note: string | null
  confidence: number | null
  category_source: string | null
  second_category: CategoryRef | null
  /** Why a person must look first. */
  look: string | null
  /** Minutes from report to arrival, once somebody arrived. */
  arrival_minutes: number | null
  paused: boolean
  reports: CaseReport[]
  events: CaseEvent[]
  clocks: CaseClock[]
  co_handlers: CoHandler[]
  requests: CaseRequest[]
  order: OrderRef | null
  mediations: MediationView[]
  /** Where the dispute goes when mediation fails now. */
  mediation_next: string | null
  answers: Answer[]
  verifications: VerificationView[]
  attachments: AttachmentView[]
  actions: ActionView[]
  merged_into: null | { id: Id; number: string }
  merged: { id: Id; number: string }[]
  suggested: { categories: CategorySuggestion[] }
  caller_open: CaseBrief[]
}

export interface Suggestion {
  categories: CategorySuggestion[]
  auto: boolean
  duplicates: NearbyCase[]
  area: AreaRef | null
  unit: Ref | null
  urgent_hint: null | { text: string }
  out_of_scope: null | { text: string; where_to_go: string }
}

export interface Caller {
  reporter_id: Id | null
  name_masked: string | null
  open_cases: CaseBrief[]
  recent: CaseBrief[]
}

/** Something a member of staff must hear. */
export interface Notice {
  id: Id
  /** What it is about: a case or a project. */
  case_id: Id | null
  project_id: Id | null
  kind: string
  text: string
  at: Instant
  read: boolean
}

export interface CaseCounts {
  total: number
  /** There are more than were counted. */
  at_least: boolean
  by_state: Record<string, number>
  late: number
  due_soon: number
}

/** The filters of a list of cases: the same names in the API, in the address bar and in links from figures. */
export interface CaseFilter {
  queue?: 'mine' | 'unit' | 'dispatch' | 'verify' | 'approve' | 'late' | 'all'
  state?: string
  category?: string
  area?: string
  unit?: string
  worker?: string
  channel?: string
  /** Visiting team that heard it. */
  team?: string
  on_the_spot?: boolean
  on_time?: boolean
  answered?: boolean
  urgent?: boolean
  supervised?: boolean
  q?: string
  received_from?: string
  received_to?: string
  handled_from?: string
  handled_to?: string
  ended_from?: string
  ended_to?: string
  /** Depth of the unit that resolved it; in an address, so a text there. */
  level?: number | string
  due_before?: string
  sort?: 'due' | 'received'
  limit?: number
  after?: string
}

export interface ClockExplanation {
  lines: { from: Instant; to: Instant; counted: boolean; reason: string; text: string; total_text: string }[]
  due_at: Instant | null
  text: string[]
}

export interface ReceiptRecord {
  strand: number
  seq: number
  [field: string]: unknown
}

/** The resident's proof that the report was recorded; checked without trusting the server. */
export interface Receipt {
  version: number
  jurisdiction: string
  number: string
  report_id: Id
  received_at: Instant
  body_sha256: string
  salt: string
  record: ReceiptRecord
  leaf_index: number
  tree_size: number
  root_hash: string
  inclusion: string[]
  tree_head: { size: number; root: string; at: Instant; signature: string }
  public_key: string
  text_zh: string
}

export interface ReporterInput {
  name?: string
  phone?: string
  anonymous?: boolean
}

export interface NewCase {
  id: Id
  channel: string
  body: string
  title?: string
  category_code?: string
  area_id?: Id
  lon?: number
  lat?: number
  datum?: 'wgs84' | 'gcj02'
  address?: string
  place_note?: string
  reporter?: ReporterInput
  attachments?: Id[]
  urgent?: boolean
  on_the_spot?: { result: string; answer_way: string; answer_body: string; after_attachments?: Id[] }
  team_id?: Id
}

export interface NewCaseResult {
  case: CaseBrief
  receipt: Receipt
  follow_code: string
}

export interface AnswerTemplate {
  key: string
  name: string
  body: string
}

// ---------------------------------------------------------------- portal

/** A photo the reporter may see; `portal/follow/photos.ts` fetches its bytes with the code. */
export interface PublicPhoto {
  hash: string
  stage: AttachmentView['stage']
  width: number | null
  height: number | null
}

export interface PublicStatus {
  number: string
  title: string
  body: string
  state: CaseState
  state_name: string
  plain_text: string
  /** Present while it goes on together with another report; all the rest then tells how that goes. */
  together: { text: string; number: string; since: Instant } | null
  steps: { at: Instant; text: string; who: string | null }[]
  unit_public_name: string | null
  worker_public: { name: string; badge_no: string } | null
  due_at: Instant | null
  due_explained: string[]
  answers: { at: Instant; way: string; body: string }[]
  can: { rate: boolean; object: boolean; withdraw: boolean; add: boolean }
  photos: PublicPhoto[]
}

export interface PortalReportResult {
  number: string
  follow_code: string
  receipt: Receipt
  case: PublicStatus
  duplicates?: { number: string; title: string; distance_m?: number | null }[]
}

export interface ReceiptCheck {
  ok: boolean
  checks: { name: string; ok: boolean; text: string }[]
}

export interface MyWorker {
  chain: Ref[]
  worker: { name: string; badge_no: string; photo_url?: string | null } | null
  stand_in?: { name: string; badge_no: string } | null
  office: null | { place: string | null; hours: string | null; phone: string | null }
  badge_url: string | null
}

export interface BadgeCheck {
  valid: boolean
  name: string | null
  area: string | null
  unit: string | null
}

/** A closed matter as anybody may read it; words only of what was public when it came in. */
export interface PublishedCase {
  category: string
  area: string
  unit: string | null
  received_on: string
  closed_on: string
  on_time: boolean | null
  said: string | null
  answer: string | null
}

export interface Choice {
  id: string
  name: string
}

export interface Outcomes {
  items: PublishedCase[]
  next: string | null
  fewest: number
  path: Choice[]
  areas: Choice[]
  kinds: Choice[]
}

export interface TransparencySection {
  title: string
  paragraphs?: string[]
  table?: { columns: string[]; rows: string[][] }
}

// ---------------------------------------------------------------- insight and operations

export interface Figure {
  key: string
  name: string
  definition: string
  value: number | null
  unit: string
  numerator: number | null
  denominator: number | null
  link: string | null
}

export interface BoardArea {
  id: Id
  name: string
  full_name: string
  level: string
  level_name: string
}

export interface BoardChild {
  area: BoardArea
  open: number
  late: number
  received_today: number
  closed_today: number
  on_time_rate: number | null
  answered_rate: number | null
  resolved_here_rate: number | null
}

/** A year in figures, today its last day; to the public nothing of small counts. */
export interface YearView {
  from: string
  to: string
  received: number | null
  solved: number | null
  serving: number | null
}

export interface BoardView {
  as_of: Instant
  year: YearView
  area: BoardArea
  above: BoardArea[]
  figures: Figure[]
  children: BoardChild[]
  by_category: { code: string; name: string; count: number; late: number }[]
  by_unit: { id: Id | null; name: string; count: number; late: number }[]
  by_channel: { key: string; name: string; count: number }[]
  trend: { day: string; received: number; closed: number }[]
  resolved_by_level: { level: string; level_name: string; depth: number; count: number; share: number }[]
  /** The pack's target for what is resolved at the lowest two levels, 0 to 1. */
  resolved_here_target: number
  /** First and last day of the period. */
  from: string
  to: string
}

/** Per class of matter: how many were resolved at each level, the lowest first. */
export interface FunnelView {
  from: string
  to: string
  levels: { depth: number; level: string; name: string }[]
  rows: { code: string; name: string; counts: number[]; total: number }[]
}

/** How old what is open is: a row for the area and each of its parts, a number and its cases for each band of age. */
export interface AgeingView {
  as_of: Instant
  area: BoardArea
  above: BoardArea[]
  bands: { from_days: number; to_days: number | null }[]
  backlog_days: number
  classes: string[]
  rows: { area: BoardArea; counts: { count: number; link: string }[]; total: { count: number; link: string }; oldest_days: number | null }[]
}

/** A number and the cases behind it. */
export interface LinkedCount {
  count: number
  link: string
}

/** What visiting teams heard in a period and what became of it. */
export interface TeamFigures {
  as_of: Instant
  area: BoardArea
  above: BoardArea[]
  from: string
  to: string
  rows: {
    id: Id
    name: string
    unit: string
    liaison: string
    in_force: boolean
    heard: LinkedCount
    on_the_spot: LinkedCount
    open: LinkedCount
    late: LinkedCount
    handled: LinkedCount
    handled_on_time: LinkedCount
    handled_answered: LinkedCount
    on_time_rate: number | null
    answered_rate: number | null
  }[]
}

/** A proposal to move running clocks to the rules in force. */
export interface ClockMigration {
  id: Id
  category: string | null
  category_name: string | null
  step: string | null
  step_name: string | null
  reason: string
  pack_version: string
  state: string
  created_by: string
  created_at: Instant
  looked_at: number
  touched: number
  later: number
  earlier: number
  turns_late: number
  decided_by: string | null
  decided_at: Instant | null
  note: string | null
  applied: number
  skipped: number
  finished_at: Instant | null
  own: boolean
  may_decide: boolean
}

export interface MigratedClock {
  clock_id: Id
  case_id: Id
  number: string
  step_name: string
  old_limit: string
  new_limit: string
  old_due: Instant | null
  new_due: Instant | null
  was_late: boolean
  turns_late: boolean
  state: string
}

export interface ClockMigrationDetail extends ClockMigration {
  clocks: MigratedClock[]
  next: string | null
}

/** Times of jobs, messages and the ledger are milliseconds UTC. */
export type Millis = number

export interface Job {
  id: Id
  kind: string
  key: string
  state: 'waiting' | 'running' | 'done' | 'dead' | 'cancelled'
  run_at: Millis
  attempts: number
  last_error: string | null
  created_at: Millis
  finished_at: Millis | null
}

export interface OutboxItem {
  id: Id
  case_id: Id | null
  template_key: string
  channel: string
  body: string
  state: 'waiting' | 'sent' | 'delivered' | 'failed' | 'cancelled'
  created_at: Millis
  finished_at: Millis | null
  finished_by: string | null
  note: string | null
}

export interface LedgerItem {
  leaf: number
  record: {
    strand: number
    seq: number
    at: Millis
    /** `account:ID`, `resident` or `system:NAME`. */
    actor: string
    action: string
    subject: string
    purpose: string
    rule_version: string
  }
  hash: string
  /** None when erased. */
  body: string | null
}

export interface TreeHead {
  size: number
  root: string
  at: Millis
  signature: string
}

export interface LedgerVerification {
  running: boolean
  report: null | { records: number; erased: number; leaves: number; heads: number; findings: unknown[]; more: number }
  /** One line for each finding. */
  lines: string[]
}

// ---------------------------------------------------------------- dwellings and plans

export interface DwellingTotal {
  dwellings: number
  households: number
  people: number
  enterprises: number
  /** In no grid today. */
  without_grid: number
  /** Dwellings whose households were shared out from a total. */
  spread: number
  links: number
  barriers: number
}

export interface DwellingSummary extends DwellingTotal {
  communities: (DwellingTotal & { area_id: Id; name: string })[]
}

export interface DwellingReport extends Omit<DwellingTotal, 'dwellings' | 'people' | 'enterprises'> {
  rows: number
  created: number
  replaced: number
  ended: number
  communities: number
  /** Both languages in one line each. */
  assumptions: string[]
  warnings: string[]
  notes: { code: string; message: string; left_out: boolean; count: number; rows: string[] }[]
  problems: { row: number; column: string | null; code: string; message: string }[]
}

export interface BandWish {
  /** `households`, `people`, `enterprises` or `weighted`. */
  measure: string
  lo: number
  hi: number
}

export interface PlanFigures {
  dwellings: number
  households: number
  grids: number
  in_band: number
  in_band_share: number
  /** Households of the smallest and the largest grid. */
  least: number
  most: number
  spread: number
  cut: number
  compactness: number
  walk_m: number
  minutes: number
  workers: number
  /** In another grid than today. */
  moved_households: number
}

export interface PlanReason {
  community_id: Id
  community_name: string
  verdict: string
  message: string
  households: number
  broken: number[]
}

export interface Plan {
  id: Id
  name: string
  area_id: Id
  area_name: string
  state: 'draft' | 'adopted' | 'undone' | 'dropped'
  origin: string
  phase: 'empty' | 'waiting' | 'drawing' | 'ready' | 'failed' | 'cancelled'
  progress: { done: number; total: number } | null
  fault_message: string | null
  figures: PlanFigures
  check: { passed: boolean; placed: number; strayed: number; unplaced: number; disconnected: number; out_of_band: number }
  reasons: PlanReason[]
  note: string
  /** Milliseconds. */
  created_at: number
  changed_at: number
}

export interface PlanGrid {
  no: number
  community_id: Id
  community_name: string
  name: string
  code: string
  kept_area_id: Id | null
  locked: boolean
  dwellings: number
  households: number
  people: number
  enterprises: number
  minutes: number
  in_band: boolean
  compactness: number
  walk_m: number
  moved_households: number
}

export interface PaintedGrid {
  no: number
  gone: boolean
  households: number
  in_band: boolean
  connected: boolean
  /** Painting would break it apart. */
  breaks: boolean
}

export interface Painted {
  grids: PaintedGrid[]
  /** Number of the new grid, if one is made. */
  made: number | null
  allowed: boolean
}

export interface PlanComment {
  id: Id
  no: number | null
  text: string
  /** Milliseconds. */
  at: number
  by: string
}

export interface PlanSheet {
  plan_name: string
  place_name: string
  community_id: Id
  community_name: string
  border: import('geojson').Geometry | null
  grids: (PlanGrid & { outline: import('geojson').Geometry | null })[]
  households: number
  people: number
  /** Milliseconds. */
  at: number
}

// ---------------------------------------------------------------- adopting a plan

export interface AdoptionCount {
  kind: string
  count: number
  households: number
  ends: number
  begins: number
}

export interface AdoptionBlock {
  code: string
  message: string
}

export interface AdoptionEnd {
  area_id: Id | null
  no: number | null
  code: string
  name: string
}

export interface AdoptionItem {
  kind: string
  id: string
  label: string
  from: AdoptionEnd | null
  to: AdoptionEnd | null
  households: number | null
  vacant: boolean
}

export interface Adoption {
  id: Id
  plan_id: Id
  plan_name: string
  area_name: string
  day: string
  in_force_from: string | null
  state: 'planned' | 'in_force' | 'undone' | 'called_off' | 'blocked'
  undo_until: string | null
  can_undo: boolean
  counts: AdoptionCount[]
  blocks: AdoptionBlock[]
  created_by: string
  created_at: Instant
  undone_by: string | null
  undone_at: Instant | null
}

export interface AdoptionDetail extends Adoption {
  items: AdoptionItem[]
  next: string | null
}

export interface AdoptionEffect {
  adoption: Adoption | null
  counts: AdoptionCount[]
  blocks: AdoptionBlock[]
  items: AdoptionItem[]
}

// ---------------------------------------------------------------- departments' zonings

export interface Zoning {
  id: Id
  name: string
  purpose: string
  area_id: Id
  area_name: string
  version: number
  /** Whether it was laid over the grids in force. */
  current: boolean
  zones: number
  households: number
  created_at: Instant
  created_by: string
}

export interface ZoningDetail extends Zoning {
  items: { no: number; code: string; name: string; unit: string; households: number }[]
}

export interface ZoningShare {
  /** 0: in no zone. */
  zone_no: number
  zone_name: string
  grid: AreaRef | null
  dwellings: number
  households: number
  of_zone: number
  of_grid: number
}

/** One thing owed to a place, a household or a person today. */
export interface Due {
  id: Id
  rule: string
  rule_name: string
  act: 'visit' | 'check' | 'patrol'
  subject_kind: 'facility' | 'grid' | 'household' | 'resident'
  subject_id: Id
  subject_name: string
  area_id: Id
  area_name: string
  lon: number | null
  lat: number | null
  period: string
  nth: number
  need: number
  got: number
  in_minutes: boolean
  standing: 'early' | 'due' | 'late' | 'missed'
  from: string
  planned: string
  until: string
  owed_until: string
  tried: number
  reason: string | null
  photo: boolean
  position: boolean
  talk: boolean
  people: number
}

/** What is owed in an area under each rule, and how it stands. */
export interface DutyCounts {
  area_id: Id
  area_name: string
  rules: { rule: string; name: string; period: string; owed: number; done: number; late: number; missed: number; made_up: number }[]
}

// ---------------------------------------------------------------- registry

/** An area as lists name it. */
export interface HomeArea {
  id: Id
  name: string
  full_name?: string
}

export interface AreaHomes {
  area: HomeArea
  households: number
  residents: number
  organisations: number
}

export interface HomeCounts extends AreaHomes {
  below: AreaHomes[]
}

export interface Household {
  id: Id
  number: string | null
  area: HomeArea | null
  dwelling_id: Id | null
  house: string | null
  room: { building: string | null; entrance: string | null; floor: number | null; room: string | null; text: string }
  residents: number
  householder: string | null
  split_from: Id | null
  valid_from: string
  valid_to: string | null
  ended_how: string | null
  row_version: number
  may_change: boolean
}

/** Somebody, masked. */
export interface Resident {
  id: Id
  household_id: Id
  relation: string
  name: string
  id_number: string | null
  phones: string[]
  age: number | null
  sex: string | null
  valid_from: string
  valid_to: string | null
  ended_how: string | null
  residences: { household_id: Id; kind: string; valid_from: string; valid_to: string | null }[]
  registers: { key: string; name: string }[]
  row_version: number
}

export interface HouseholdDetail extends Household {
  members: Resident[]
}

/** What is owed while nobody answers for it, grid by grid. */
export interface UnownedDuties {
  items: { area_id: Id; area_name: string; rule: string; rule_name: string; duty_name: string; open: number }[]
  more: boolean
}

/** A case where it is only spoken of. */
export interface CaseMark {
  id: Id
  number: string
  title: string
  state: string
  state_name: string
  open: boolean
}

/** A visit, check or patrol, with what was said. */
export interface Visit {
  id: Id
  act: string
  at: Instant
  minutes: number
  outcome: string
  worker_name: string
  position: { lon: number; lat: number; accuracy_m: number | null; mock: boolean } | null
  talk: string | null
  photos: string[]
  matters: CaseMark[]
}

/** Somebody as a phone takes them along, masked. */
export interface PackedResident {
  id: Id
  name: string
  relation: string
  age: number | null
  sex: string | null
  phones: string[]
  registers: string[]
  row_version: number
}

/** A household as a phone takes it along. */
export interface PackedHome {
  id: Id
  number: string | null
  house: string | null
  room: string
  /** Sorts as a walk. */
  order: string
  lon: number | null
  lat: number | null
  residents: PackedResident[]
  row_version: number
  /** The last visit to the household or anybody in it. */
  last: LastVisit | null
}

export interface LastVisit {
  at: Instant
  outcome: string
  talk: string | null
  /** What they asked for then, and what is still open of before. */
  matters: CaseMark[]
}

export interface PackedFacility {
  id: Id
  name: string
  kind: string
  hazard: boolean
  lon: number
  lat: number
  address: string
  hours: string
  phone: string
}

/** What a phone takes along: all its grids, and of each what the phone does not have. */
export interface Bundle {
  grids: {
    area_id: Id
    name: string
    ground_digest: string
    ground: { outline: any; facilities: PackedFacility[] } | null
    parts: { digest: string; homes: PackedHome[] | null }[]
    more: boolean
  }[]
  registers: { key: string; name: string }[]
}

export interface FoundResidents {
  items: { resident: Resident; household: Household }[]
  more: boolean
}

/** Somebody's look at a resident. */
export interface Look {
  id: Id
  at: Instant
  who: string
  purpose: string
  reason: string | null
  fields: string[]
}

export interface CareRegister {
  key: string
  name: string
  service: string
  legal_basis: string
  entries: string
  sensitive: boolean
  pairs: boolean
  in_use: boolean
  unit_id: Id | null
  unit_name: string | null
  confirmed: string | null
  review: string | null
  ends: string | null
}

export interface RegisterCounts {
  area: HomeArea | null
  people: Record<string, number>
  paired: Record<string, number>
}

/** Who keeps, or kept, in touch with somebody on a register. */
export interface Pairing {
  id: Id
  register: string
  register_name: string
  worker_id: Id
  worker_name: string
  from: string
  ended: string | null
  how: 'handed_on' | 'no_need' | 'own_wish' | 'mistake' | 'left' | 'off_register' | 'worker_left' | 'merged' | null
  result: string | null
}

/** Somebody this phone's worker is paired with. */
export interface MyPair {
  id: Id
  register_name: string
  resident_id: Id
  name: string
  address: string
  area_id: Id
  area_name: string
  from: string
  met: number
  last: string | null
}

export interface PairVisit {
  id: Id
  at: string
  minutes: number
  outcome: string
}

export interface OnRegister {
  resident: Resident
  household: Household
  from: string
  source: string
  basis: string | null
}

/** What any list from a spreadsheet came to. */
export interface ListReport {
  rows: number
  already: number
  columns: { name: string; field: string | null }[]
  problems: { row: number; column: string; code: string; message: string }[]
  more_problems: number
  dry_run: boolean
  changed: boolean
}

/** What a list of people came to. */
export interface PeopleReport extends ListReport {
  households: number
  residents: number
  duplicates: number
}

/** What a list of those on care registers came to. */
export interface CareReport extends ListReport {
  put_on: number
}

/** One of two records of a person, masked, and where they live. */
export interface MergeSide {
  resident: Resident
  household: Household
}

/** Two records side by side, and where somebody has to choose. */
export interface ResidentsCompared {
  kept: MergeSide
  other: MergeSide
  differs: string[]
}

/** A merge into somebody's record. */
export interface ResidentMerge {
  id: Id
  by: string
  at: string
  undo_until: string
  open: boolean
}

/** Somebody a list puts into another household than they are registered in. */
export interface DuplicatePerson {
  id: Id
  source: string
  row: number
  household: Household
  relation: string
  kind: string
  valid_from: string
  resident: Resident | null
  registered: Household | null
}

/** Somebody of whom this holds. Left out: it does not matter. */
export interface CampaignPerson {
  age_from?: number
  age_to?: number
  sex?: 'female' | 'male'
  register?: string
}

/** Whom a campaign is for. */
export interface CampaignQuestion {
  who: 'households' | 'facilities' | 'grids'
  of?: string
  floor_from?: number
  lift?: boolean
  size_from?: number
  size_to?: number
  with: CampaignPerson[]
  without: CampaignPerson[]
}

/** What is asked at the door; who answers one that says `follow` is followed up. */
export interface CampaignAsk {
  text: string
  choices: { text: string; follow: boolean }[]
}

export type ProjectStanding = 'on_time' | 'soon' | 'late' | 'reported' | 'done' | 'stopped'
export type ProjectAct = 'progress' | 'milestone' | 'ask' | 'grant' | 'refuse' | 'report' | 'accept' | 'send_back' | 'lead' | 'stop'

/** A project in a list. */
export interface ProjectBrief {
  id: Id
  title: string
  area_id: Id
  area_name: string
  unit: Ref
  leader: Ref
  due: string
  first_due: string
  standing: ProjectStanding
  days_left: number
  extended: number
}

export interface ProjectEntry {
  id: Id
  act: ProjectAct | 'made'
  words: string
  day: string | null
  milestone: string | null
  leader: Ref | null
  by: string
  at: Instant
  photos: string[]
}

export interface Project extends ProjectBrief {
  goal: string
  co_units: Ref[]
  milestones: { id: Id; title: string; due: string; done: string | null }[]
  asked_until: string | null
  result: string | null
  reported_on: string | null
  ended_on: string | null
  made_at: Instant
  entries: ProjectEntry[]
  acts: ProjectAct[]
}

export interface ProjectCounts {
  on_time: number
  soon: number
  late: number
  reported: number
  done: number
  done_late: number
}

export interface ProjectsOf {
  id: Id
  name: string
  counts: ProjectCounts
}

export interface ProjectBoard {
  all: ProjectCounts
  units: ProjectsOf[]
  leaders: ProjectsOf[]
}

export interface Campaign {
  id: Id
  title: string
  why: string
  script: string
  question: CampaignQuestion
  asks: CampaignAsk[]
  duty: string
  duty_name: string
  area_id: Id
  area_name: string
  from: string
  until: string
  keep_until: string
  phase: 'draft' | 'filling' | 'running' | 'closed'
  erased: boolean
  summary: string | null
  created_at: Instant
  closed_at: Instant | null
  looks_from: Id | null
  manages: boolean
}

/** What a campaign can be made of here. */
export interface CampaignPrepared {
  templates: (Pick<Campaign, 'why' | 'script' | 'question' | 'asks' | 'duty'> & { key: string; name: string; days: number; keep_days: number })[]
  duties: { key: string; name: string }[]
  registers: { key: string; name: string }[]
}

export interface CampaignStanding {
  area_id: Id
  area_name: string
  tasks: number
  open: number
  tried: number
  follow: number
  done: number
  gone: number
  reasons: Record<string, number>
  answers: number[][]
}

export type CampaignTaskState = 'open' | 'follow' | 'done' | 'gone'

/** A doorstep of a campaign. */
export interface CampaignTask {
  campaign_id: Id
  subject_kind: Due['subject_kind']
  subject_id: Id
  subject_name: string
  area_id: Id
  area_name: string
  lon: number | null
  lat: number | null
  state: CampaignTaskState
  tried: number
  reason: string | null
  met_at: Instant | null
  note: string | null
}

export interface CampaignToday {
  campaigns: Campaign[]
  tasks: CampaignTask[]
  next: string | null
}

/** The order of a day's stops; times as `09:05`. */
export interface DayRoute {
  leave: string
  back: string
  metres: number
  halts: { key: string; arrive: string; begin: string; leave: string }[]
  lunch: [string, string] | null
  left_out: { key: string; why: string; message: string }[]
}

/** What a pack wants of a day's patrols in a grid. */
export interface PatrolWish {
  name: string
  need: number
  in_minutes: boolean
}

/** What one worker patrolled on a day. */
export interface PatrolDay {
  worker_id: Id
  worker_name: string
  times: number
  minutes: number
  metres: number
  gaps: number
  mock: number
  without_track: number
}

export interface PatrolDays {
  wanted: PatrolWish[]
  items: PatrolDay[]
  next: string | null
}

export interface Patrol {
  id: Id
  grid_name: string
  at: Instant
  minutes: number
  mock: boolean
  points: number | null
  metres: number | null
  gaps: number | null
  longest_gap_s: number | null
}

/** Where somebody walked, in seconds after the beginning. */
export interface Track {
  steps: { s: number; lon: number; lat: number; accuracy_m: number | null }[]
  pauses: { from_s: number; to_s: number }[]
}

export type DutyState = 'open' | 'late' | 'missed' | 'made_up' | 'done'

/** One thing owed, behind a count. */
export interface DutyLine {
  id: Id
  subject_kind: Due['subject_kind']
  subject_id: Id
  subject_name: string
  nth: number
  state: DutyState
  planned: string
  until: string
  done_on: string | null
  done_late: boolean
  tried: number
  reason: string | null
}

/** What came of recording a visit. */
export interface VisitRecorded {
  id: Id
  already: boolean
  counts: { rule: string; name: string; counts: 'settles' | 'makes_up' | 'extra' | 'not'; nth: number | null; why: string | null; message: string | null }[]
}

/** What taking registered households over would change, or changed. */
export interface HouseholdsTakenOver {
  dwellings: number
  changed: number
  households_before: number
  households: number
  without_dwelling: number
}

/** What became of a zone's ground in a community in a plan made from its zoning. */
export interface ZoneVerdict {
  zone_no: number
  zone_name: string
  community: AreaRef | null
  households: number
  verdict: 'followed' | 'too_small' | 'too_large' | 'apart'
  grid_no: number | null
}

export interface ZoningProposal {
  plan_id: Id
  followed: number
  households_followed: number
  others: number
  households_others: number
}

export interface ZoningReport {
  zones: number
  inside: number
  outside: number
  double: number
  problems: { row: number; column: string | null; code: string; message: string }[]
  zoning: Zoning | null
}

// ---------------------------------------------------------------- sync

/** One thing done on a phone, as it is sent. */
export interface SyncOperation {
  id: string
  number: number
  path: string
  body: Record<string, never>
  title: string
  at: string
  attended: boolean
}

export interface SyncInput {
  device: Id
  name: string
  app: string
  sent_at: string
  epoch?: number
  received: number
  operations: SyncOperation[]
}

export interface SyncReceipt {
  id: string
  number: number
  verdict: string
  kept_as?: string | null
  received_at?: Instant | null
  answer?: unknown
  fault?: { code: string; message: string; field?: string | null; details: FieldFault[] } | null
  signature?: string | null
}

/** How a phone and the server stand with each other. */
export interface SyncView {
  now: Instant
  epoch: number
  covered_until?: Instant | null
  seen: number
  behind: boolean
  revoked: boolean
  receipts: SyncReceipt[]
}

export interface FieldFault {
  field: string
  code: string
  message: string
}

/** What a phone sent and could not be done. */
export interface KeptOperation {
  id: string
  fingerprint: string
  worker_name: string
  area_name: string
  kind: string
  title: string
  at: Instant
  received_at: Instant
  verdict: 'refused' | 'decide' | 'clash'
  code?: string | null
  message?: string | null
  body: Record<string, unknown>
}

/** A phone (or browser) of an account. */
export interface Phone {
  id: Id
  name: string
  app: string
  first_seen: Instant
  last_seen: Instant
  clock_s: number
  revoked_at?: Instant | null
  wiped_at?: Instant | null
}
