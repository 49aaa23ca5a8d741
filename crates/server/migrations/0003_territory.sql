-- The pack and calendar versions in use, and the areas of the place.
-- Why here: a case names the rules, the calendar and the territory it was made under, and must still be explainable years later.

create table pack_version (
  version integer primary key,
  digest text not null,
  key text not null,
  label text not null,
  adopted_at integer not null
) strict;

-- Years imported by the administrator; they win over those shipped with the program.
create table calendar_year (
  base text not null,
  year integer not null,
  body text not null,
  imported_at integer not null,
  primary key (base, year)
) strict;

-- Every calendar ever in force, as the texts it was made from.
create table calendar_version (
  base text not null,
  version integer not null,
  digest text not null,
  body text not null,
  adopted_at integer not null,
  primary key (base, version)
) strict;

-- One more each time areas or boundaries change.
create table territory_version (
  version integer primary key,
  adopted_at integer not null,
  note text not null
) strict;

-- Areas are never removed: they end. a1..a5 are the ancestors from the top, the area itself at its own depth.
create table area (
  id text primary key,
  code text not null unique,
  name text not null,
  -- The name is made up from the code until somebody gives one.
  placeholder integer not null check (placeholder in (0, 1)),
  pinyin text not null,
  initials text not null,
  -- Key of the pack's level.
  level text not null,
  -- Kind used by routes (urban, rural), where known.
  kind text,
  parent_id text,
  depth integer not null check (depth between 1 and 5),
  a1 text not null,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  lon real,
  lat real,
  valid_from text not null,
  valid_to text,
  made_in_version integer not null
) strict;

create index area_by_parent on area (parent_id, code);

-- GeoJSON geometry (Polygon or MultiPolygon) in WGS-84, and its box.
create table area_boundary (
  area_id text primary key references area (id),
  geojson text not null,
  min_lon real not null,
  min_lat real not null,
  max_lon real not null,
  max_lat real not null
) strict;

create table address (
  id text primary key,
  text text not null,
  -- The form that is compared (see domain::text::normalise), and the initials of its pinyin.
  search text not null,
  initials text not null,
  area_id text not null references area (id),
  lon real,
  lat real
) strict;

create index address_by_search on address (search);
create index address_by_area on address (area_id);
