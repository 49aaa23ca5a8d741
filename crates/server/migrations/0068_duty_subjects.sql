-- Something is owed to households and to people on care registers, too: what a subject can be gets two more words.
-- Why: SQLite cannot change a check of a column; there the tables are made anew (no row elsewhere refers to a column that changes).

--@ postgres
alter table duty_member drop constraint duty_member_subject_kind_check;
alter table duty_member add constraint duty_member_subject_kind_check check (subject_kind in ('facility', 'grid', 'household', 'resident'));
alter table obligation drop constraint obligation_subject_kind_check;
alter table obligation add constraint obligation_subject_kind_check check (subject_kind in ('facility', 'grid', 'household', 'resident'));
alter table visit drop constraint visit_subject_kind_check;
alter table visit add constraint visit_subject_kind_check check (subject_kind in ('facility', 'grid', 'household', 'resident'));
--@ sqlite
create table duty_member_next (
  who text not null,
  subject_kind text not null check (subject_kind in ('facility', 'grid', 'household', 'resident')),
  subject_id text not null,
  from_day integer not null,
  to_day integer,
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  primary key (who, subject_id, from_day)
) strict;
insert into duty_member_next select * from duty_member;
drop table duty_member;
alter table duty_member_next rename to duty_member;
create index duty_member_subject on duty_member (subject_id, who);


create table obligation_next (
  id text primary key,
  rule text not null,
  subject_kind text not null check (subject_kind in ('facility', 'grid', 'household', 'resident')),
  subject_id text not null,
  first_day integer not null,
  last_day integer not null,
  nth integer not null,
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  need integer not null,
  got integer not null,
  from_day integer not null,
  planned_day integer not null,
  until_day integer not null,
  end_day integer not null,
  owed_until integer not null,
  state text not null check (state in ('open', 'late', 'missed', 'made_up', 'done')),
  open integer not null check (open in (0, 1)),
  turns_day integer,
  done_by text,
  done_day integer,
  done_late integer check (done_late in (0, 1)),
  tried integer not null,
  reason text check (reason in ('met', 'nobody_home', 'refused', 'closed', 'moved_away')),
  pack_version text not null,
  unique (rule, subject_id, first_day, nth)
) strict;
insert into obligation_next select * from obligation;
drop table obligation;
alter table obligation_next rename to obligation;
create index obligation_owed on obligation (area_id, open, until_day, id);
create index obligation_turns on obligation (turns_day) where turns_day is not null;


create table visit_next (
  id text primary key,
  act text not null check (act in ('visit', 'check', 'patrol')),
  subject_kind text not null check (subject_kind in ('facility', 'grid', 'household', 'resident')),
  subject_id text not null,
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
  people integer not null,
  duties text not null,
  lon real,
  lat real,
  accuracy_m real,
  mock integer not null check (mock in (0, 1)),
  talk_sealed blob,
  sent_index text not null,
  pack_version text not null,
  recorded_at integer not null
) strict;
insert into visit_next select * from visit;
drop table visit;
alter table visit_next rename to visit;
create index visit_by_subject on visit (subject_id, day);
create index visit_by_grid on visit (grid_id, day) where grid_id is not null;
--@ both
