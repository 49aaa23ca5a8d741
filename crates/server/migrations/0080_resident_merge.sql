-- Two records of one person made one 合并居民, so that it can be undone. The record that goes into the other stays under its own key, and points to the one that was kept:
-- it is found by its old name and numbers, and what was done to it (visits, looks) is read together with the kept one's.

alter table resident add column merged_into text references resident (id);
create index resident_merged on resident (merged_into) where merged_into is not null;

create table resident_merge (
  id text primary key,
  kept_id text not null references resident (id),
  merged_id text not null references resident (id),
  -- JSON of both as they were and of what was kept, under the kept one's key. None once undone, or one of them is erased.
  before_sealed blob,
  merged_by text not null references account (id),
  merged_at integer not null,
  -- Last day on which it can be undone.
  undo_until text not null,
  undone_by text references account (id),
  undone_at integer
) strict;
create index resident_merge_by_kept on resident_merge (kept_id, id);
create index resident_merge_by_merged on resident_merge (merged_id, id);

-- Somebody was on a register under both records: one entry ends with the merge.
--@ postgres
alter table care_entry drop constraint care_entry_ended_how_check;
alter table care_entry add constraint care_entry_ended_how_check
  check (ended_how in ('no_need', 'own_wish', 'mistake', 'left', 'register_ended', 'merged'));
--@ sqlite
create table care_entry_next (
  id text primary key,
  register text not null references care_register (register),
  resident_id text not null references resident (id),
  source text not null check (source in ('own_wish', 'list', 'visit')),
  from_day text not null,
  -- None while they are on it.
  ended_day text,
  ended_how text check (ended_how in ('no_need', 'own_wish', 'mistake', 'left', 'register_ended', 'merged'))
) strict;
insert into care_entry_next select * from care_entry;
drop table care_entry;
alter table care_entry_next rename to care_entry;
create unique index care_entry_open on care_entry (register, resident_id) where ended_day is null;
create index care_entry_by_resident on care_entry (resident_id, register);
--@ both
