-- Care registers 关爱名册: which of the pack's registers is in use, until when and by whom, and who is on it.
-- Why: a register exists for a service. It has an owner and an end; when it ends everybody is off it. What a register is for, on what
-- basis, and whether it is a sensitive one, is in the pack.

create table care_register (
  -- Key of the pack's register.
  register text primary key,
  -- The unit that answers for it.
  unit_id text not null references unit (id),
  -- ISO days: begun or last confirmed, looked at next, last day.
  confirmed text not null,
  review text not null,
  ends text not null,
  -- It was closed before its end.
  closed_on text
) strict;

create table care_entry (
  id text primary key,
  register text not null references care_register (register),
  resident_id text not null references resident (id),
  source text not null check (source in ('own_wish', 'list', 'visit')),
  from_day text not null,
  -- None while they are on it.
  ended_day text,
  ended_how text check (ended_how in ('no_need', 'own_wish', 'mistake', 'left', 'register_ended'))
) strict;
create unique index care_entry_open on care_entry (register, resident_id) where ended_day is null;
create index care_entry_by_resident on care_entry (resident_id, register);

-- How many are on a register in an area and all below it now; kept with every change, in as many parts as there are writers.
create table care_count (
  area_id text not null,
  register text not null,
  strand integer not null,
  people integer not null,
  primary key (area_id, register, strand)
) strict;

update role set permissions = replace(permissions, ']', ',"register.manage"]') where key = 'supervisor';
