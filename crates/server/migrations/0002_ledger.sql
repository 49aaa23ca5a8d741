-- The ledger (who did what, hash-linked, in a signed Merkle tree), durable jobs, photos, and the outbox.
-- Hashes are 32-byte blobs; times are milliseconds UTC.

-- The end of each chain, moved on in the transaction that appends. One chain per writer connection: writers never wait for each other.
create table ledger_head (
  strand integer primary key,
  seq integer not null,
  hash blob not null
) strict;

create table ledger_record (
  strand integer not null,
  seq integer not null,
  at integer not null,
  actor text not null,
  action text not null,
  subject text not null,
  purpose text not null,
  rule_version text not null,
  payload_hash blob not null,
  prev_hash blob not null,
  hash blob not null,
  primary key (strand, seq)
) strict, without rowid;

-- What was recorded, beside the record and not in it, so that it can be erased: then salt and body are null and the record
-- (erased_strand, erased_seq) says who erased it and why.
create table ledger_payload (
  strand integer not null,
  seq integer not null,
  salt blob,
  body text,
  erased_strand integer,
  erased_seq integer,
  primary key (strand, seq)
) strict, without rowid;

-- The one order over all chains: leaf numbers of the Merkle tree, from 0 without gaps.
create table ledger_leaf (
  leaf integer primary key,
  strand integer not null,
  seq integer not null,
  hash blob not null,
  unique (strand, seq)
) strict;

-- Complete subtrees at levels 4, 8, 12, ...: they never change once written.
create table ledger_node (
  level integer not null,
  idx integer not null,
  hash blob not null,
  primary key (level, idx)
) strict, without rowid;

-- The tree's right edge (peaks, largest first) and which life of the database this is; one row, locked by whoever sequences.
create table ledger_tree (
  one integer primary key check (one = 1),
  size integer not null,
  peaks blob not null,
  epoch integer not null
) strict;
insert into ledger_tree (one, size, peaks, epoch) values (1, 0, cast('' as blob), 1);

-- How far each chain has been given leaf numbers.
create table ledger_sequenced (
  strand integer primary key,
  seq integer not null
) strict;

create table ledger_tree_head (
  size integer not null,
  epoch integer not null,
  origin text not null,
  root blob not null,
  at integer not null,
  signature text not null,
  primary key (size, epoch)
) strict;

create table job (
  id text primary key,
  kind text not null,
  -- At most one job of a kind has the same key: scheduling it again moves it.
  key text not null,
  payload text not null,
  state text not null check (state in ('waiting', 'running', 'done', 'dead', 'cancelled')),
  run_at integer not null,
  attempts integer not null,
  -- Only while running outside a transaction: until when, and who.
  lease_until integer,
  lease_by text,
  last_error text,
  created_at integer not null,
  finished_at integer,
  unique (kind, key)
) strict;
create index job_due on job (run_at) where state in ('waiting', 'running');
create index job_finished on job (finished_at) where state in ('done', 'dead', 'cancelled');

-- Photos in the object store, named by the SHA-256 of the file that is served (made anew from the upload, without metadata).
create table blob (
  hash text primary key,
  mime text not null,
  bytes integer not null,
  width integer not null,
  height integer not null,
  created_at integer not null
) strict;

-- A file on its way up (tus). The bytes are in a folder until the last has come; claims from the photo's own metadata stay here.
create table upload (
  id text primary key,
  -- The account that uploads; null for a resident on the portal, who holds the address as the key.
  account_id text,
  length integer not null,
  filename text not null,
  created_at integer not null,
  expires_at integer not null,
  state text not null check (state in ('open', 'done', 'refused')),
  refusal text,
  hash text,
  claimed_at text,
  claimed_lon real,
  claimed_lat real
) strict;
create index upload_expires on upload (expires_at);

-- Messages to residents. Nothing here is pretended sent: without a gateway they wait until a person tells the resident.
create table outbox (
  id text primary key,
  case_id text,
  reporter_id text,
  -- Where the case lies, for the scope of whoever looks.
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  kind text not null,
  channel text not null,
  body text not null,
  state text not null check (state in ('waiting', 'sent', 'delivered', 'failed', 'cancelled')),
  created_at integer not null,
  finished_at integer,
  finished_by text,
  note text
) strict;
create index outbox_waiting on outbox (state, created_at);
create index outbox_case on outbox (case_id);
