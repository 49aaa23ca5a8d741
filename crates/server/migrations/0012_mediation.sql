-- Mediation of disputes (ZS-17): each one held, at which rung, by whom, how it ended, and whether the agreement was kept.
create table mediation (
  id text primary key,
  case_id text not null references cases (id),
  -- Key of the pack's rung; none when the unit that had the case is no rung of the pack.
  rung text,
  rung_name text not null,
  mediator text not null,
  worker_id text,
  -- ISO dates.
  held_on text not null,
  outcome text not null check (outcome in ('agreed', 'failed', 'withdrawn')),
  -- What was agreed, or why not.
  words text not null,
  next_name text,
  follow_up_on text,
  followed_at integer,
  followed_by text,
  kept integer,
  follow_note text,
  at integer not null
) strict;
create index mediation_case on mediation (case_id, at);
create index mediation_owed on mediation (follow_up_on, id) where followed_at is null;

-- The paper of an agreement is a photo of its own kind; a check cannot be widened in place.
create table attachment_wider (
  case_id text not null references cases (id),
  blob_hash text not null,
  stage text not null check (stage in ('report', 'before', 'after', 'agreement', 'answer', 'verify')),
  report_id text,
  at integer not null,
  primary key (case_id, blob_hash, stage)
) strict;
insert into attachment_wider (case_id, blob_hash, stage, report_id, at)
  select case_id, blob_hash, stage, report_id, at from attachment;
drop table attachment;
alter table attachment_wider rename to attachment;
create index attachment_blob on attachment (blob_hash);

-- How old what is open is: open cases by the day they were received, so that age costs the same however many there are.
insert into cube_case (area_id, measure, dim, key, day, strand, n)
  select area_id, 'open_since', dim, key, day, 0, count(*) from (
    select a1 as area_id, 'all' as dim, '' as key, (received_at + 28800000) / 86400000 as day from cases where open = 1
    union all select a2, 'all', '', (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a3, 'all', '', (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a4, 'all', '', (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a5, 'all', '', (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a1, 'category', coalesce(category_code, ''), (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a2, 'category', coalesce(category_code, ''), (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a3, 'category', coalesce(category_code, ''), (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a4, 'category', coalesce(category_code, ''), (received_at + 28800000) / 86400000 from cases where open = 1
    union all select a5, 'category', coalesce(category_code, ''), (received_at + 28800000) / 86400000 from cases where open = 1
  ) s where area_id is not null group by area_id, dim, key, day;
