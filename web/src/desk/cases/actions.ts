// What each action on a case asks for, and its key. The server says which actions exist and whether they may be done now;
// here is only how their forms look. Field names are those of the API.

export type FieldKind =
  | 'text'
  | 'area'
  | 'category'
  | 'unit'
  | 'worker'
  | 'coHandler'
  | 'request'
  | 'requestKind'
  | 'way'
  | 'returnCode'
  | 'rating'
  | 'days'
  | 'date'
  | 'outcome'
  | 'time'
  | 'yesNo'
  | 'photos'
  | 'case'
  | 'reports'
  | 'report'

export interface ActionField {
  key: string
  kind: FieldKind
  required?: boolean
  /** Word of the label, where the field's own name says another thing. */
  label?: string
}

export interface ActionForm {
  shortcut?: string
  /** Strong for what moves the case on, danger for what ends it. */
  tone?: 'main' | 'danger'
  fields: ActionField[]
}

const text = (key: string, required = true): ActionField => ({ key, kind: 'area', required })
const of = (key: string, kind: FieldKind, required = true): ActionField => ({ key, kind, required })

export const ACTIONS: Record<string, ActionForm> = {
  accept: { shortcut: 'a', tone: 'main', fields: [] },
  decline: { shortcut: 'd', tone: 'danger', fields: [text('reason'), text('where_to_go')] },
  classify: { shortcut: 'c', fields: [of('category_code', 'category')] },
  route: { shortcut: 'r', tone: 'main', fields: [of('unit_id', 'unit', false), text('reason', false)] },
  take: { shortcut: 't', tone: 'main', fields: [] },
  return: { shortcut: 'x', fields: [of('reason_code', 'returnCode'), text('reason'), of('suggest_unit', 'unit', false)] },
  arbitrate: { shortcut: 'z', tone: 'main', fields: [of('unit_id', 'unit'), text('reason')] },
  assign_worker: { shortcut: 'w', fields: [of('worker_id', 'worker')] },
  add_co_handler: { shortcut: 'o', fields: [of('unit_id', 'unit'), text('part')] },
  co_done: { fields: [of('co_handler_id', 'coHandler'), text('result')] },
  co_return: { fields: [of('co_handler_id', 'coHandler'), text('reason')] },
  arrive: { fields: [] },
  mediate: {
    tone: 'main',
    fields: [
      of('outcome', 'outcome'),
      text('agreement'),
      { key: 'mediator', kind: 'text' },
      of('held_on', 'date', false),
      of('follow_up_on', 'date', false),
      { key: 'attachments', kind: 'photos', label: 'paper' },
    ],
  },
  ask: { shortcut: 'q', fields: [of('kind', 'requestKind'), text('reason'), of('days', 'days', false), of('until', 'time', false)] },
  decide: { shortcut: 'p', tone: 'main', fields: [of('request_id', 'request'), of('approve', 'yesNo'), text('note', false)] },
  resume: { fields: [] },
  unpark: { fields: [text('reason')] },
  handle: { shortcut: 'h', tone: 'main', fields: [text('result'), of('before', 'photos', false), of('after', 'photos', false), text('override_reason', false)] },
  answer: {
    shortcut: 'b',
    tone: 'main',
    fields: [of('report_id', 'report', false), of('way', 'way'), text('body'), text('resident_said', false), of('solved', 'yesNo', false), of('rating', 'rating', false)],
  },
  verify: { shortcut: 'v', tone: 'main', fields: [of('pass', 'yesNo'), text('note', false), of('attachments', 'photos', false)] },
  rework: { shortcut: 'g', fields: [text('reason')] },
  close: { shortcut: 'e', tone: 'main', fields: [text('note', false)] },
  reopen: { fields: [text('reason')] },
  merge: { shortcut: 'm', fields: [of('into', 'case')] },
  split: { fields: [of('report_ids', 'reports')] },
  withdraw: { tone: 'danger', fields: [text('reason')] },
  supervise: { shortcut: 's', fields: [text('instruction')] },
  urge: { shortcut: 'u', fields: [text('note')] },
  comment: { shortcut: 'l', fields: [text('body')] },
  meeting: { fields: [text('body')] },
}

/** An empty form of an action. */
export function emptyForm(action: string): Record<string, unknown> {
  const form: Record<string, unknown> = {}
  for (const field of ACTIONS[action]?.fields ?? []) {
    form[field.key] = field.kind === 'photos' || field.kind === 'reports' ? [] : undefined
  }
  return form
}

/** What is sent: empty fields are left out, so that the server applies its own defaults. */
export function bodyOf(action: string, form: Record<string, unknown>): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const field of ACTIONS[action]?.fields ?? []) {
    const raw = form[field.key]
    const value = typeof raw === 'string' ? raw.trim() : raw
    const empty = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
    if (!empty) body[field.key] = value
  }
  if (action === 'route' && !body.unit_id) body.auto = true
  return body
}

/** The required fields that are still empty. */
export function missing(action: string, form: Record<string, unknown>): string[] {
  const body = bodyOf(action, form)
  return (ACTIONS[action]?.fields ?? []).filter((f) => f.required && body[f.key] === undefined).map((f) => f.key)
}
