-- Cases 事件: from report to closing. Ids are made by whoever creates the thing; times are milliseconds UTC; areas and units have no
-- foreign keys, because a case keeps the area and the territory version it was made under even when the tree changes.

create table cases (
  id text primary key,
  number text not null unique,
  title text not null,
  body text not null,
  channel text not null,
  category_code text,
  category_source text check (category_source in ('resident', 'model', 'keyword', 'staff', 'import')),
  confidence real,
  second_category text,
  urgent integer not null default 0,
  kind text not null default 'ordinary' check (kind in ('ordinary', 'on_the_spot')),
  area_id text,
  territory_version integer not null,
  a1 text, a2 text, a3 text, a4 text, a5 text,
  lon real, lat real,
  address text,
  place_note text,
  state text not null check (state in ('received', 'accepted', 'assigned', 'handling', 'handled', 'answered', 'verified', 'closed',
    'declined', 'parked', 'merged', 'withdrawn')),
  -- 1 while anything is owed; what the queues' indexes select on.
  open integer not null,
  -- Why a person must look first; only while received.
  look text,
  unit_id text,
  worker_id text,
  -- Depth of the area of the unit that resolved it (1 at the top).
  level_resolved integer,
  -- The nearest limit of the lead's clocks; queue_at is the same, or the end of time when nothing runs: queues sort by it.
  due_at integer,
  due_step text,
  queue_at integer not null,
  -- The limit has passed, as the timers saw it.
  late integer not null default 0,
  received_at integer not null,
  accepted_at integer,
  assigned_at integer,
  taken_at integer,
  arrived_at integer,
  handled_at integer,
  answered_at integer,
  verified_at integer,
  ended_at integer,
  -- Whether the lead's handling was in time; null until handled.
  on_time integer,
  outcome text,
  returned_count integer not null default 0,
  rework_count integer not null default 0,
  reopened_count integer not null default 0,
  urged_count integer not null default 0,
  extended_count integer not null default 0,
  supervised integer not null default 0,
  arbitrated integer not null default 0,
  paused integer not null default 0,
  mediated integer not null default 0,
  dissatisfied integer not null default 0,
  -- Who reported the work finished, who declined or parked it, who verified it (empty with verified_at set: the resident).
  handled_by text, handled_worker text,
  decided_by text, decided_worker text,
  verified_by text, verified_worker text,
  merged_into text,
  -- State to come back to when the merge is undone.
  merged_was text,
  reporter_count integer not null,
  pack_version text not null,
  public integer not null default 0,
  -- Hash of what was sent with the id, so that a retry is told from another thing under the same id.
  content_hash text not null,
  row_version integer not null default 1
) strict;

-- The queue at each level, for the scope of that level: the same cost whatever the size of the place.
create index cases_a1_queue on cases (a1, queue_at, id) where open = 1;
create index cases_a2_queue on cases (a2, queue_at, id) where open = 1;
create index cases_a3_queue on cases (a3, queue_at, id) where open = 1;
create index cases_a4_queue on cases (a4, queue_at, id) where open = 1;
create index cases_a5_queue on cases (a5, queue_at, id) where open = 1;
create index cases_queue on cases (queue_at, id) where open = 1;
create index cases_unit_queue on cases (unit_id, queue_at, id) where open = 1;
create index cases_worker_queue on cases (worker_id, queue_at, id) where open = 1;
-- All cases, newest first.
create index cases_a1_received on cases (a1, received_at, id);
create index cases_a2_received on cases (a2, received_at, id);
create index cases_a3_received on cases (a3, received_at, id);
create index cases_a4_received on cases (a4, received_at, id);
create index cases_a5_received on cases (a5, received_at, id);
create index cases_received on cases (received_at, id);
create index cases_unit_received on cases (unit_id, received_at, id);
-- By state within the jurisdiction, for the dispatch and check queues.
create index cases_state_queue on cases (state, queue_at, id) where open = 1;
-- Near and recent, for duplicates and the map.
create index cases_lat on cases (lat, lon) where lat is not null;
create index cases_merged on cases (merged_into) where merged_into is not null;

-- Who reported: sealed, found again by a keyed fingerprint of the number.
create table reporter (
  id text primary key,
  name_sealed blob,
  phone_sealed blob,
  phone_index text,
  wants_contact integer not null,
  created_at integer not null
) strict;
create index reporter_phone on reporter (phone_index) where phone_index is not null;

create table report (
  id text primary key,
  case_id text not null references cases (id),
  -- The number told to this reporter; it stays theirs when the case is merged.
  number text not null,
  reporter_id text references reporter (id),
  channel text not null,
  body text not null,
  received_at integer not null,
  anonymous integer not null,
  -- Whether they can be reached at all.
  reachable integer not null,
  -- Whether they have had an answer since the last handling.
  answered integer not null default 0,
  withdrawn_at integer,
  -- The case this report came from when its case was merged.
  merged_from text,
  -- Where the ledger has it, for the receipt.
  strand integer not null,
  ledger_seq integer not null
) strict;
create index report_case on report (case_id, received_at);
create index report_number on report (number);
create index report_reporter on report (reporter_id) where reporter_id is not null;

create table case_event (
  case_id text not null references cases (id),
  seq integer not null,
  at integer not null,
  kind text not null,
  actor_account text,
  actor_name text,
  unit_id text,
  unit_name text,
  -- What the sentence needs: names, reasons, numbers. Never a reporter's name or number.
  body text not null,
  strand integer not null,
  ledger_seq integer not null,
  primary key (case_id, seq)
) strict;

-- An action's client-made id: pressing twice, or a phone's retry, does it once.
create table case_action (
  id text primary key,
  case_id text not null,
  content_hash text not null,
  at integer not null
) strict;

create table case_clock (
  id text primary key,
  case_id text not null references cases (id),
  -- 'lead', or the id of a co-handler.
  party text not null,
  step text not null check (step in ('accept', 'dispatch', 'handle', 'answer', 'verify')),
  urgent integer not null,
  log text not null,
  started_at integer not null,
  due_at integer,
  warn_at integer,
  state text not null check (state in ('running', 'paused', 'stopped')),
  late integer not null default 0,
  -- The next moment the timers must look at it, and which rungs have been told.
  next_at integer,
  told text not null default ''
) strict;
create index case_clock_case on case_clock (case_id, started_at);
create index case_clock_next on case_clock (next_at) where next_at is not null;

create table co_handler (
  id text primary key,
  case_id text not null references cases (id),
  unit_id text not null,
  unit_name text not null,
  part text not null,
  state text not null check (state in ('open', 'done', 'returned', 'released')),
  due_at integer,
  result text,
  done_by text,
  done_worker text,
  created_at integer not null
) strict;
create index co_handler_case on co_handler (case_id);
create index co_handler_unit on co_handler (unit_id, case_id);

create table case_request (
  id text primary key,
  case_id text not null references cases (id),
  kind text not null check (kind in ('extension', 'pause', 'park')),
  asked_by text not null,
  asked_worker text,
  asked_name text not null,
  reason text not null,
  -- Thousandths of the clock's unit asked for (extension).
  amount integer,
  until_at integer,
  state text not null check (state in ('waiting', 'approved', 'refused', 'lapsed')),
  decided_by text,
  decided_worker text,
  decided_name text,
  decided_at integer,
  note text,
  created_at integer not null
) strict;
create index case_request_case on case_request (case_id);
create index case_request_waiting on case_request (case_id) where state = 'waiting';

create table answer (
  id text primary key,
  case_id text not null references cases (id),
  report_id text,
  by_account text,
  by_name text not null,
  way text not null check (way in ('in_person', 'phone', 'sms', 'web', 'written')),
  body text not null,
  resident_said text,
  solved integer,
  rating integer check (rating between 1 and 5),
  at integer not null
) strict;
create index answer_case on answer (case_id, at);

create table verification (
  id text primary key,
  case_id text not null references cases (id),
  by_account text,
  by_name text not null,
  pass integer not null,
  note text not null,
  at integer not null
) strict;
create index verification_case on verification (case_id, at);

create table attachment (
  case_id text not null references cases (id),
  blob_hash text not null,
  stage text not null check (stage in ('report', 'before', 'after', 'answer', 'verify')),
  report_id text,
  at integer not null,
  primary key (case_id, blob_hash, stage)
) strict;
create index attachment_blob on attachment (blob_hash);

-- The running number of a day.
create table case_serial (
  day integer primary key,
  last integer not null
) strict;

-- What a member of staff must hear: warnings, escalations, calls to come.
create table notice_staff (
  id text primary key,
  worker_id text not null,
  case_id text not null,
  kind text not null,
  body text not null,
  at integer not null,
  read_at integer
) strict;
create index notice_staff_worker on notice_staff (worker_id, at);

-- Counts kept in the same transaction as what they count: one row a cell and writer, so that writers never wait for each other.
-- day is days since 1970-01-01 for what happened on a day, and 0 for how many there are now.
create table cube_case (
  area_id text not null,
  measure text not null,
  dim text not null,
  key text not null,
  day integer not null,
  strand integer not null,
  n integer not null,
  primary key (area_id, measure, dim, day, key, strand)
) strict;

-- What the classifier learned; the newest is in force.
create table learned_model (
  id text primary key,
  made_at integer not null,
  samples integer not null,
  bytes blob not null
) strict;
create index learned_model_made on learned_model (made_at);
