-- Duties 履职: who belongs to those a rule is for, what is owed to them, what was done, and the counts of it.

-- One stay of one subject among those that rules of the same `who` are for. Days are numbered from 1970-01-01, both ends included.
create table duty_member (
  -- As the rules say it: `grids`, `facilities:公厕`, `checkpoints:楼栋单元`.
  who text not null,
  subject_kind text not null check (subject_kind in ('facility', 'grid')),
  subject_id text not null,
  from_day integer not null,
  -- None while it belongs.
  to_day integer,
  -- Where it lies now; of what has ended, where it lay last.
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  primary key (who, subject_id, from_day)
) strict;
create index duty_member_subject on duty_member (subject_id, who);

-- One thing owed to one subject in one period.
create table obligation (
  id text primary key,
  -- Key of the pack's rule.
  rule text not null,
  subject_kind text not null check (subject_kind in ('facility', 'grid')),
  subject_id text not null,
  first_day integer not null,
  last_day integer not null,
  -- From 1 within the period.
  nth integer not null,
  -- Where the subject lay when it was last worked out.
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  -- Times or minutes.
  need integer not null,
  got integer not null,
  -- The first day on which it can be done, the planned one, the last one in time, the last one of the period.
  from_day integer not null,
  planned_day integer not null,
  until_day integer not null,
  end_day integer not null,
  -- The last day on which doing it helps: of what can be made up, that of the next period.
  owed_until integer not null,
  state text not null check (state in ('open', 'late', 'missed', 'made_up', 'done')),
  -- Whether doing it still helps.
  open integer not null check (open in (0, 1)),
  -- The day on which it changes by itself if nothing is done.
  turns_day integer,
  done_by text,
  done_day integer,
  done_late integer check (done_late in (0, 1)),
  -- How often somebody went in vain, and how it went the last time.
  tried integer not null,
  reason text check (reason in ('met', 'nobody_home', 'refused', 'closed', 'moved_away')),
  -- Version of the pack it follows from.
  pack_version text not null,
  unique (rule, subject_id, first_day, nth)
) strict;
create index obligation_owed on obligation (area_id, open, until_day, id);
create index obligation_turns on obligation (turns_day) where turns_day is not null;

-- What one subject's period hands on to the next, under one rule.
create table duty_tally (
  rule text not null,
  subject_id text not null,
  first_day integer not null,
  -- Day of the last visit that counted, in this period or before.
  counted_day integer,
  -- Obligations of the period before that were made up in this one.
  made_up integer not null,
  -- Fingerprint of the rule and the place it was worked out by.
  by_rule text not null,
  primary key (rule, subject_id, first_day)
) strict;

-- Counts by area, rule and period, kept in the transaction that changes an obligation; one row a writer's strand.
create table duty_count (
  area_id text not null references area (id),
  rule text not null,
  first_day integer not null,
  strand integer not null,
  owed integer not null,
  done integer not null,
  late integer not null,
  -- Missed, made up or not.
  missed integer not null,
  made_up integer not null,
  primary key (area_id, first_day, rule, strand)
) strict;

-- A visit 走访, check 检查 or patrol 巡查. Never changed: what happened, happened.
create table visit (
  id text primary key,
  act text not null check (act in ('visit', 'check', 'patrol')),
  subject_kind text not null check (subject_kind in ('facility', 'grid')),
  subject_id text not null,
  -- Where the subject lay, and the grid among these areas.
  area_id text not null references area (id),
  grid_id text,
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  at integer not null,
  day integer not null,
  minutes integer not null,
  outcome text not null check (outcome in ('met', 'nobody_home', 'refused', 'closed', 'moved_away')),
  account_id text not null references account (id),
  worker_id text not null references worker (id),
  -- How many went, and the duties of their posts, as a list with commas around each.
  people integer not null,
  duties text not null,
  lon real,
  lat real,
  accuracy_m real,
  -- Whether the phone says that its position was made up: kept as evidence, judged by people.
  mock integer not null check (mock in (0, 1)),
  talk_sealed blob,
  -- Keyed fingerprint of what was sent, so that the same id with other words is noticed.
  sent_index text not null,
  pack_version text not null,
  recorded_at integer not null
) strict;
create index visit_by_subject on visit (subject_id, day);
create index visit_by_grid on visit (grid_id, day) where grid_id is not null;

create table visit_worker (
  visit_id text not null references visit (id),
  worker_id text not null references worker (id),
  primary key (visit_id, worker_id)
) strict;

create table visit_photo (
  visit_id text not null references visit (id),
  blob_hash text not null,
  primary key (visit_id, blob_hash)
) strict;

update role set permissions = replace(permissions, ']', ',"duty.read","duty.record"]') where key in ('grid_worker', 'liaison');
update role set permissions = replace(permissions, ']', ',"duty.record"]') where key = 'team_member';
update role set permissions = replace(permissions, ']', ',"duty.read"]') where key in ('dispatcher', 'verifier', 'personnel', 'supervisor');
update role set permissions = replace(permissions, ']', ',"duty.read","duty.manage"]') where key = 'system_admin';
