-- Campaigns 专项行动: a question that finds households or places, what is asked at each, what was answered, and how it stands in every area.

create table campaign (
  id text primary key,
  title text not null,
  -- Why it is done and on what basis; what those who go should do and say.
  why text not null,
  script text not null,
  -- JSON, as given.
  question text not null,
  asks text not null,
  -- Duty of the posts to whom it falls.
  duty text not null,
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  -- Days from 1970-01-01, both included; after the last one what was answered is deleted.
  from_day integer not null,
  until_day integer not null,
  keep_until integer not null,
  state text not null check (state in ('draft', 'filling', 'running', 'closed')),
  -- What was answered, and for whom it was, is deleted; the figures stay.
  erased integer not null check (erased in (0, 1)),
  -- Said at the end.
  summary text,
  created_by text not null references account (id),
  created_at integer not null,
  started_at integer,
  closed_at integer
) strict;
create index campaign_by_state on campaign (state, id);

-- One household or place of a campaign.
create table campaign_task (
  campaign_id text not null references campaign (id),
  subject_kind text not null check (subject_kind in ('facility', 'grid', 'household')),
  subject_id text not null,
  -- Where it lies now.
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  state text not null check (state in ('open', 'follow', 'done', 'gone')),
  -- How often somebody went in vain, and how it went the last time.
  tried integer not null,
  reason text check (reason in ('met', 'nobody_home', 'refused', 'closed', 'moved_away')),
  -- When somebody was last met there.
  met_at integer,
  primary key (campaign_id, subject_id)
) strict;
create index campaign_task_by_area on campaign_task (area_id, state, campaign_id);
create index campaign_task_by_state on campaign_task (campaign_id, state, subject_id);
create index campaign_task_by_subject on campaign_task (subject_id);

-- What one call of a campaign came to.
create table campaign_result (
  campaign_id text not null,
  subject_id text not null,
  visit_id text not null references visit (id),
  account_id text not null references account (id),
  at integer not null,
  met integer not null check (met in (0, 1)),
  -- Something is still to be done there.
  follow integer not null check (follow in (0, 1)),
  -- JSON list of the numbers of the answers; what is still to be done.
  answers_sealed blob,
  note_sealed blob,
  -- Keyed fingerprint of what was sent, so that the same visit with other answers is noticed.
  sent_index text not null,
  recorded_at integer not null,
  primary key (campaign_id, subject_id, visit_id)
) strict;

-- How it stands in an area and all below it: `tasks`, `open`, `follow`, `done`, `gone`, `tried`, why in vain (`reason.refused`), answers (`answer.0.1`);
-- kept with every change, in as many parts as there are writers.
create table campaign_count (
  campaign_id text not null,
  area_id text not null references area (id),
  what text not null,
  strand integer not null,
  number integer not null,
  primary key (campaign_id, area_id, what, strand)
) strict;

-- Whether a building has a lift, where somebody knows.
alter table dwelling add column lift integer check (lift in (0, 1));

update role set permissions = replace(permissions, ']', ',"campaign.manage"]') where key in ('supervisor', 'dispatcher');
