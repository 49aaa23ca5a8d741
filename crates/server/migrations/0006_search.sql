-- The search index over cases: what waits, the numbered texts, the postings of full segments, how far it is.
-- Everything here is computed from cases and can be computed again.
create table search_pending (
  case_id text not null primary key,
  text text
) strict;

create table search_doc (
  seq integer not null primary key,
  case_id text not null unique,
  text text not null
) strict;

create table search_posting (
  lead text not null,
  segment integer not null,
  body blob not null,
  primary key (lead, segment)
) strict, without rowid;

create table search_state (
  id integer not null primary key check (id = 1),
  next_seq integer not null,
  sealed integer not null
) strict;
