-- Lists of households and people taken over from spreadsheets: which column means what, and who seems to be here already.

-- What the columns of a list mean, by the header they stand in, as somebody said it last.
create table list_mapping (
  -- SHA-256 of the header's cells.
  header_hash text primary key,
  -- JSON: field by number of the column.
  fields text not null,
  saved_by text not null references account (id),
  saved_at integer not null
) strict;

-- Somebody a list puts into a household who is registered in another one: for a person to decide.
create table duplicate (
  id text primary key,
  -- Name of the list, and the row in it.
  source text not null,
  list_row integer not null,
  resident_id text not null references resident (id),
  -- The household the list puts them into, how and from when.
  household_id text not null references household (id),
  relation text not null,
  kind text not null check (kind in ('registered', 'actual')),
  from_day text not null,
  area_id text not null,
  -- They moved there, or stay where they are.
  decided text check (decided in ('moved', 'stays')),
  decided_by text references account (id),
  decided_at integer,
  created_at integer not null
) strict;
create unique index duplicate_open on duplicate (resident_id, household_id) where decided is null;
create index duplicate_by_area on duplicate (area_id, id) where decided is null;

update role set permissions = replace(permissions, ']', ',"registry.import"]') where key = 'dispatcher';
