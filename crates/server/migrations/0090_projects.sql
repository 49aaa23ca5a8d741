-- Projects 督办项目: what is to be done by when, who leads it, which units do it, how it goes, and who accepted it.

create table project (
  id text primary key,
  title text not null,
  -- What is to be done, and what shows that it is.
  goal text not null,
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  unit_id text not null references unit (id),
  leader_id text not null references worker (id),
  -- Days from 1970-01-01: the deadline now, and as it was given.
  due_day integer not null,
  first_due_day integer not null,
  phase text not null check (phase in ('running', 'reported', 'accepted', 'stopped')),
  extended integer not null,
  -- More time that was asked for and is not decided on: until when, and by whom.
  asked_day integer,
  asked_by text references account (id),
  result text,
  reported_by text references account (id),
  reported_day integer,
  -- Day of acceptance or of the stop.
  ended_day integer,
  -- Who gave it out hears when it is late.
  made_by text not null references account (id),
  made_worker text references worker (id),
  made_at integer not null,
  -- Last day on which its dates were looked at.
  reminded_day integer not null
) strict;
create index project_by_due on project (due_day, id);
create index project_by_phase on project (phase, ended_day);
create index project_by_made on project (made_at);

-- Units that help.
create table project_unit (
  project_id text not null references project (id),
  unit_id text not null references unit (id),
  primary key (project_id, unit_id)
) strict;
create index project_unit_by_unit on project_unit (unit_id);

create table project_milestone (
  id text primary key,
  project_id text not null references project (id),
  title text not null,
  due_day integer not null,
  -- Day on which it was reached.
  done_day integer
) strict;
create index project_milestone_by_project on project_milestone (project_id, due_day);

-- What was done with a project, in order: its record.
create table project_entry (
  id text primary key,
  project_id text not null references project (id),
  act text not null check (act in ('made', 'progress', 'milestone', 'ask', 'grant', 'refuse', 'report', 'accept', 'send_back', 'lead', 'stop')),
  words text not null,
  -- The day asked for or given.
  day integer,
  milestone_id text references project_milestone (id),
  -- The leader named.
  leader_id text references worker (id),
  account_id text not null references account (id),
  -- Name of who did it, as it was then.
  by_name text not null,
  at integer not null
) strict;
create index project_entry_by_project on project_entry (project_id, at, id);

create table project_photo (
  project_id text not null references project (id),
  entry_id text not null references project_entry (id),
  blob_hash text not null,
  primary key (entry_id, blob_hash)
) strict;
create index project_photo_by_project on project_photo (project_id, blob_hash);

-- Notices were of cases only.
alter table notice_staff rename column case_id to subject_id;
alter table notice_staff add column subject_kind text not null default 'case';

update role set permissions = replace(permissions, ']', ',"project.read","project.manage"]') where key = 'supervisor';
update role set permissions = replace(permissions, ']', ',"project.read"]') where key in ('dispatcher', 'verifier', 'handler', 'liaison');
