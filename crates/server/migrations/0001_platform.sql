-- Accounts, sessions, roles and grants, and the log of who read what.
-- Why here: everything later refers to who did it, and nothing may be read without a scope.

create table setting (
  key text primary key,
  value text not null
) strict;

create table account (
  id text primary key,
  login text not null unique,
  name text not null,
  worker_id text,
  password_hash text not null,
  state text not null check (state in ('active', 'disabled')),
  must_change_password integer not null check (must_change_password in (0, 1)),
  -- The secret of the second factor, sealed; pending until its first code was confirmed.
  totp_sealed blob,
  totp_pending_sealed blob,
  -- The last time step a code was accepted for: a code works once.
  totp_last_step integer,
  lang text not null check (lang in ('zh', 'en')),
  created_at integer not null
) strict;

create index account_by_worker on account (worker_id);

-- Server-side sessions. The token itself is only in the cookie; here is its hash.
create table session (
  token_hash text primary key,
  id text not null unique,
  account_id text not null references account (id),
  created_at integer not null,
  seen_at integer not null,
  expires_at integer not null,
  user_agent text not null
) strict;

create index session_by_account on session (account_id);

-- Counted for any login name, known or not, under a keyed hash of it: the answer must not tell which exist.
create table login_failure (
  login_index text primary key,
  failed_count integer not null,
  locked_until integer not null,
  last_at integer not null
) strict;

create table role (
  key text primary key,
  name_zh text not null,
  name_en text not null,
  -- JSON list of permission keys
  permissions text not null
) strict;

-- A role for one area subtree (none: the whole jurisdiction) or for what one unit has in hand, from a time to a time.
create table account_grant (
  id text primary key,
  account_id text not null references account (id),
  role text not null references role (key),
  area_id text,
  -- depth of the area in the tree, 1 to 5; 0 for the whole jurisdiction; and the areas it lies in, itself included
  depth integer not null check (depth between 0 and 5),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  unit_id text,
  valid_from integer not null,
  valid_to integer,
  check ((area_id is null) = (depth = 0))
) strict;

create index account_grant_by_account on account_grant (account_id);
create index account_grant_by_area on account_grant (area_id);

-- One row for each read of personal data, written before the answer leaves.
create table access_log (
  id text primary key,
  at integer not null,
  account_id text,
  actor text not null,
  purpose text not null,
  -- the written reason of an emergency
  reason text,
  subject_kind text not null,
  subject_id text,
  fields text not null,
  case_id text
) strict;

create index access_log_by_time on access_log (at, id);
create index access_log_by_subject on access_log (subject_kind, subject_id, id);
create index access_log_by_account on access_log (account_id, id);
create index access_log_by_case on access_log (case_id, id);

insert into role (key, name_zh, name_en, permissions) values
  ('grid_worker', '网格员', 'Grid worker', '["case.intake","case.read","case.reporter","case.handle","case.answer","workforce.read","field.use"]'),
  ('clerk', '受理员', 'Clerk', '["case.intake","case.read","case.reporter","case.answer","workforce.read"]'),
  ('handler', '经办人', 'Handler', '["case.read","case.handle","case.answer","workforce.read","field.use"]'),
  ('dispatcher', '调度员', 'Dispatcher', '["case.intake","case.read","case.reporter","case.dispatch","case.answer","case.approve","case.arbitrate","case.import","case.export","board.read","workforce.read","outbox.manage"]'),
  ('verifier', '核查员', 'Verifier', '["case.read","case.reporter","case.verify","board.read","workforce.read"]'),
  ('supervisor', '督办领导', 'Supervisor', '["case.read","case.approve","case.arbitrate","case.supervise","case.export","board.read","workforce.read","export.approve"]'),
  ('liaison', '联络员', 'Liaison', '["case.intake","case.read","case.handle","case.answer","workforce.read"]'),
  ('planner', '规划员', 'Planner', '["board.read","territory.manage","workforce.read"]'),
  ('personnel', '人事员', 'Personnel officer', '["workforce.read","workforce.manage"]'),
  ('system_admin', '系统管理员', 'System administrator', '["territory.manage","workforce.read","workforce.manage","pack.manage","job.manage","outbox.manage","case.import"]'),
  ('security_admin', '安全管理员', 'Security administrator', '["account.manage","workforce.read"]'),
  ('audit_admin', '审计管理员', 'Audit administrator', '["ledger.read","audit.read"]');
