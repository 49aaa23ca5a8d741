-- Handover 平台流转: cases passed on to another platform and taken from one, with every message (PJ-13).

-- Another platform 对接平台: who it is, by its key, and what may be passed to it.
create table peer (
  id text primary key,
  name text not null,
  relation text not null check (relation in ('upper', 'lower', 'side')),
  url text not null,
  -- Its Ed25519 public key, and what both administrators compare, both in hexadecimal.
  key text not null,
  fingerprint text not null unique,
  purpose text not null,
  contact text not null,
  -- What may be passed to it: matters of this subtree (none: of the whole place), of these categories (none: of all), with who reported or not.
  area_id text,
  categories text not null default '[]',
  may_personal integer not null default 0,
  -- Whether cases are taken from it.
  takes integer not null default 0,
  active_from integer not null,
  active_to integer,
  created_at integer not null,
  created_by text not null,
  created_name text not null,
  -- The fingerprint was compared with theirs; before that nothing is sent or taken.
  confirmed_at integer,
  confirmed_name text,
  ended_at integer,
  ended_name text,
  -- The last comparison of figures.
  compared_at integer,
  compared text
) strict;

create table handover (
  id text primary key,
  case_id text not null references cases (id),
  peer_id text not null references peer (id),
  peer_name text not null,
  role text not null check (role in ('out', 'in')),
  phase text not null,
  said integer not null,
  heard integer not null,
  asked integer not null,
  supplied integer not null,
  rounds integer not null,
  purpose text not null,
  -- Whether who reported went along.
  personal integer not null,
  -- Who passed it on.
  by_account text,
  by_worker text,
  by_name text,
  -- The other platform's number of it, and by when they mean to finish (out) or are asked to (in).
  peer_number text,
  peer_due_at integer,
  -- Why the other side refused a message; what the last comparison found.
  stuck text,
  differs text,
  created_at integer not null,
  changed_at integer not null
) strict;
create index handover_case on handover (case_id, created_at);
create index handover_list on handover (changed_at, id);
create index handover_peer on handover (peer_id, id);

create table handover_message (
  id text primary key,
  handover_id text not null references handover (id),
  way text not null check (way in ('out', 'in')),
  seq integer not null,
  heard integer not null,
  verb text not null,
  at integer not null,
  -- What it carries, sealed; and the digest by which a doubled one is known.
  data_sealed blob not null,
  hash text not null,
  -- Names of what was shared.
  fields text not null,
  state text not null check (state in ('waiting', 'done', 'refused')),
  attempts integer not null default 0,
  next_at integer,
  outcome text,
  -- The answer given to it (in): a doubled one gets the same.
  answer text,
  ended_at integer
) strict;
create unique index handover_message_seq on handover_message (handover_id, way, seq);
create index handover_message_due on handover_message (next_at) where next_at is not null;

create table handover_photo (
  handover_id text not null references handover (id),
  way text not null check (way in ('out', 'in')),
  hash text not null,
  stage text not null,
  state text not null check (state in ('shared', 'waiting', 'done', 'refused')),
  attempts integer not null default 0,
  next_at integer,
  outcome text,
  primary key (handover_id, way, hash)
) strict;
create index handover_photo_due on handover_photo (next_at) where next_at is not null;

-- What a platform we know sent and we refused: altered, out of place, not allowed.
create table peer_refusal (
  id text primary key,
  peer_id text not null references peer (id),
  at integer not null,
  code text not null,
  verb text not null,
  handover_id text,
  message_id text,
  hash text not null
) strict;
create index peer_refusal_log on peer_refusal (peer_id, at, id);

-- Another platform handles it now; its last handover.
alter table cases add column away integer not null default 0;
alter table cases add column handover_id text;
