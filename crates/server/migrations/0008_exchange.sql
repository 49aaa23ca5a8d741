-- Lists taken out: who asked for what and why, who else agreed, until when. Every export has its row, small ones too.
create table export_request (
  id text primary key,
  created_at integer not null,
  expires_at integer not null,
  asked_by text not null,
  asked_worker text,
  asked_name text not null,
  reason text not null,
  -- the filters of the list, as JSON
  filter text not null,
  format text not null check (format in ('xlsx', 'csv')),
  row_count integer not null,
  -- the area asked for, with its chain, so that only those who answer for it may approve; all empty: the whole place
  a1 text, a2 text, a3 text, a4 text, a5 text,
  state text not null check (state in ('small', 'waiting', 'approved', 'refused')),
  decided_by text,
  decided_name text,
  decided_at integer,
  fetched_count integer not null default 0
) strict;
create index export_request_time on export_request (created_at, id);
create index export_request_asked on export_request (asked_by, created_at);
