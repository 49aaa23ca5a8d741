-- Moving running clocks to the rules in force: proposed with a preview of every clock touched, approved by a second person, applied in
-- batches. Changing a rule alone never changes a running clock.
create table clock_migration (
  id text primary key,
  -- A class of matter with everything below it, and a step; none: all.
  category_code text,
  step text,
  reason text not null,
  -- The pack whose rules are to hold.
  pack_version text not null,
  pack_number integer not null,
  state text not null check (state in ('proposed', 'approved', 'done', 'refused', 'stale')),
  created_by text not null,
  created_worker text,
  created_name text not null,
  created_at integer not null,
  looked_at integer not null,
  touched integer not null,
  later integer not null,
  earlier integer not null,
  turns_late integer not null,
  -- Hash over the clocks as they were shown.
  digest text not null,
  decided_name text,
  decided_at integer,
  note text,
  applied integer not null default 0,
  skipped integer not null default 0,
  finished_at integer
) strict;
create index clock_migration_made on clock_migration (created_at, id);

create table clock_migration_item (
  migration_id text not null references clock_migration (id),
  clock_id text not null,
  case_id text not null,
  number text not null,
  step text not null,
  old_limit text not null,
  new_limit text not null,
  old_due integer,
  new_due integer,
  was_late integer not null,
  turns_late integer not null,
  -- Hash of the clock's log as it was shown.
  log_hash text not null,
  state text not null check (state in ('waiting', 'applied', 'skipped')),
  primary key (migration_id, clock_id)
) strict;
create index clock_migration_item_waiting on clock_migration_item (migration_id, clock_id) where state = 'waiting';

-- Clocks that run, for going through them: the same cost however many have stopped.
create index case_clock_running on case_clock (id) where state <> 'stopped';
