-- Other systems (Open311 GeoReport v2): who has a key, for what and where; each use of it; what they handed in.

create table partner (
  id text primary key,
  name text not null,
  -- What the exchange is for, and whom to call about it.
  purpose text not null,
  contact text not null,
  -- The key itself is shown once and never kept; its last characters tell one from another.
  key_hash text not null unique,
  key_end text not null,
  -- The subtree it reaches; all empty: the whole place.
  area_id text,
  a1 text, a2 text, a3 text, a4 text, a5 text,
  may_report integer not null,
  may_update integer not null,
  -- What a request handed in is answered with: the number, a token until somebody accepted it, or nothing.
  answers text not null check (answers in ('realtime', 'batch', 'blackbox')),
  created_at integer not null,
  created_by text not null,
  created_name text not null,
  revoked_at integer,
  revoked_by text,
  revoked_name text,
  use_count integer not null default 0,
  last_used_at integer
) strict;
create index partner_made on partner (created_at, id);

-- Every use of a key: what came, what was shared.
create table partner_use (
  id text primary key,
  partner_id text not null references partner (id),
  at integer not null,
  call text not null check (call in ('requests_in', 'requests_out', 'updates_in', 'updates_out', 'tokens')),
  -- 'done', or the code of the refusal.
  outcome text not null,
  -- How many requests or updates left the house, and which numbers.
  shared_count integer not null,
  shared_numbers text not null
) strict;
create index partner_use_partner on partner_use (partner_id, at, id);

-- A request a partner handed in. The token waits for it.
create table partner_request (
  case_id text primary key references cases (id),
  partner_id text not null references partner (id),
  token text not null unique,
  -- Answers to the category's questions, as JSON: code -> texts.
  attributes text not null,
  at integer not null
) strict;

-- What was sent last with the same content, so that a retry within minutes is told from another matter.
create table partner_post (
  content_hash text primary key,
  case_id text not null,
  at integer not null
) strict;
create index partner_post_at on partner_post (at);

-- Updates handed in, by the sender's own id.
create table partner_update (
  partner_id text not null references partner (id),
  update_id text not null,
  case_id text not null,
  at integer not null,
  primary key (partner_id, update_id)
) strict;

-- When the list of services last changed, by the hash of the list.
create table service_list (
  content_hash text primary key,
  changed_at integer not null
) strict;

-- What happened between two moments, for those who ask for news.
create index case_event_at on case_event (at);
