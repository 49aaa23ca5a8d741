-- Pairings 结对: who keeps in touch with somebody on a care register, from when to when, and what came of it.
-- Why: a register that wants a named person for each knows who has one, who has none, and what the pairing led to.

create table pairing (
  id text primary key,
  register text not null references care_register (register),
  resident_id text not null references resident (id),
  worker_id text not null references worker (id),
  -- ISO days.
  from_day text not null,
  -- None while they are paired.
  ended_day text,
  ended_how text check (ended_how in ('handed_on', 'no_need', 'own_wish', 'mistake', 'left', 'off_register', 'worker_left', 'merged')),
  -- What came of it, under the key of the person.
  result_sealed blob
) strict;
create unique index pairing_open on pairing (register, resident_id) where ended_day is null;
create index pairing_by_resident on pairing (resident_id, from_day);
create index pairing_by_end on pairing (ended_day, id) where ended_day is not null;
create index pairing_by_worker on pairing (worker_id, id) where ended_day is null;

-- So many of those on the register have a named person.
alter table care_count add column paired integer not null default 0;
