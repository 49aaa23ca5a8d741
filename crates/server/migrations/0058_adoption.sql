-- A plan of grids comes into force on a day, and can be taken back: what was moved, the borders and days of before, who follows whom.
-- Why: figures of a past day keep the borders of that day, and nothing that belonged to a grid may be lost when the grid ends.

create table adoption (
  id text primary key,
  plan_id text not null,
  -- The area the plan covers: nothing outside it is touched.
  area_id text not null,
  -- The day asked for, and the first day it was really in force (ISO dates; later only where the program stood still).
  day text not null,
  in_force_from text,
  state text not null check (state in ('planned', 'in_force', 'undone', 'called_off', 'blocked')),
  -- The last day on which it can be undone.
  undo_until text,
  undone_from text,
  -- JSON list of what stood in the way on the day.
  blocks text not null,
  -- JSON object: how many of each kind moved.
  counts text not null,
  -- Digests of the areas in force below area_id, before and after.
  digest_before text,
  digest_after text,
  created_at integer not null,
  created_by text not null,
  created_name text not null,
  done_at integer,
  undone_at integer,
  undone_name text
) strict;
create index adoption_by_time on adoption (created_at, id);
create index adoption_by_plan on adoption (plan_id);

-- One thing that followed: from which area, to which; detail is what undoing needs besides.
create table adoption_item (
  adoption_id text not null references adoption (id),
  kind text not null,
  item_id text not null,
  from_area text,
  to_area text,
  detail text,
  primary key (adoption_id, kind, item_id)
) strict;

-- The boundary an area had from one day to another, both included; geojson null: it had none.
create table area_boundary_past (
  area_id text not null references area (id),
  valid_from text not null,
  valid_to text not null,
  geojson text,
  primary key (area_id, valid_from)
) strict;

-- Days within valid_from and valid_to of an area on which it was not in force: its plan was replaced and that was undone.
create table area_gap (
  area_id text not null references area (id),
  gap_from text not null,
  gap_to text not null,
  primary key (area_id, gap_from)
) strict;

-- Which areas have the ground of one that ended, from a day on, with how many of its households.
create table area_successor (
  area_id text not null references area (id),
  successor_id text not null references area (id),
  day text not null,
  households integer not null,
  adoption_id text not null,
  primary key (area_id, successor_id)
) strict;

-- The areas a case lay in before a day, where a new division moved it: JSON list of {before, areas}, oldest first; before: days since
-- 1970-01-01 in +08:00. What happened on earlier days is counted there.
alter table cases add column areas_past text;

-- A post that is no more, from this day on: its grid ended and its successors have theirs.
alter table post add column ended_from text;

-- The adoption that gave a right its present area in place of another.
alter table account_grant add column moved_by text;

-- A department's own zoning 部门分区: police beats, school areas, sanitation sections, as its file said, by version.
create table zoning (
  id text primary key,
  name text not null,
  -- What it is for, in the department's words.
  purpose text not null,
  area_id text not null,
  version integer not null,
  -- The version it took the place of.
  replaces text,
  replaced_at integer,
  territory_version integer not null,
  zones integer not null,
  households integer not null,
  created_at integer not null,
  created_by text not null,
  created_name text not null
) strict;
create index zoning_by_time on zoning (created_at, id);

create table zone (
  zoning_id text not null references zoning (id),
  no integer not null,
  code text not null,
  name text not null,
  -- Who answers for it, as the department said.
  unit_name text not null,
  geojson text not null,
  households integer not null,
  primary key (zoning_id, no)
) strict;

-- How many dwellings and households of a grid lie in a zone.
create table zone_share (
  zoning_id text not null references zoning (id),
  zone_no integer not null,
  area_id text not null,
  dwellings integer not null,
  households integer not null,
  primary key (zoning_id, zone_no, area_id)
) strict;
