-- Backups that were restored into a scratch place and read again whole. Made after the copy: a copy does not know of itself.
create table backup_made (
  id text primary key,
  at integer not null,
  -- Where it was put, as the operator wrote it.
  place text not null,
  bytes integer not null,
  row_count integer not null,
  -- Everything in the ledger below this size is in the backup.
  ledger_size integer not null
) strict;
create index backup_made_at on backup_made (at);
