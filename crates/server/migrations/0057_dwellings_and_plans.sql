-- Dwellings (what a plan does not part), who is next to whom, and plans: named drafts that put dwellings into grids.
-- Why here: a plan is compared, painted by hand and drawn anew for weeks before it is adopted, and must survive a restart.

create table dwelling (
  id text primary key,
  -- The number its source has for it; the same number again is the same dwelling.
  code text not null unique,
  name text not null,
  -- The lowest area it lies in now: its grid, or its community where that has no grids.
  area_id text not null references area (id),
  -- The area no grid may reach beyond.
  community_id text not null references area (id),
  lon real not null,
  lat real not null,
  -- GeoJSON geometries: the building, and the ground nearest to it.
  outline text,
  cell text,
  -- Square metres.
  land_area real not null,
  floor_area real not null,
  households integer not null check (households >= 0),
  people integer not null check (people >= 0),
  enterprises integer not null check (enterprises >= 0),
  -- Counted there, or shared out from a total by floor area.
  households_source text not null check (households_source in ('given', 'spread')),
  -- Housing compound, natural village and street it belongs to, where known.
  compound text,
  village text,
  street text,
  valid_from text not null,
  valid_to text
) strict;
create index dwelling_by_community on dwelling (community_id, id);
create index dwelling_by_area on dwelling (area_id, id);

-- Two dwellings of one community next to each other; u before v.
create table dwelling_link (
  community_id text not null,
  u text not null,
  v text not null,
  -- Metres of border between their ground.
  shared_m real not null,
  -- How much the two belong together; what a border between them costs.
  weight real not null,
  -- 1: a river or main road lies between.
  barrier integer not null check (barrier in (0, 1)),
  made_by text not null check (made_by in ('ground', 'hand')),
  primary key (community_id, u, v)
) strict;

-- What the dwellings of a community come to; made anew with every change of them.
create table dwelling_total (
  community_id text primary key,
  dwellings integer not null,
  households integer not null,
  people integer not null,
  enterprises integer not null,
  -- Dwellings in no grid; dwellings whose households were shared out.
  without_grid integer not null,
  spread integer not null,
  links integer not null,
  barriers integer not null,
  -- One more with each change: what is held in memory of a community is good as long as this stays.
  change integer not null
) strict;

create table plan (
  id text primary key,
  name text not null,
  -- What it covers: a community, a street or a town, with the areas that lies in.
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  state text not null check (state in ('draft', 'adopted', 'undone', 'dropped')),
  -- Where its grids came from, and the plan it was copied or redrawn from.
  origin text not null check (origin in ('draw', 'redraw', 'today', 'copy', 'overlay')),
  from_plan_id text,
  -- JSON: bands, weights, goal, seed.
  options text not null,
  -- How far its grids are made; `ready` only after the checker has passed it.
  phase text not null check (phase in ('empty', 'waiting', 'drawing', 'ready', 'failed', 'cancelled')),
  cancel_asked integer not null check (cancel_asked in (0, 1)),
  -- Code of what went wrong in drawing.
  fault text,
  base_version integer not null,
  note text not null,
  created_by text not null,
  created_at integer not null,
  changed_at integer not null
) strict;
create index plan_by_time on plan (created_at, id);

create table plan_grid (
  plan_id text not null references plan (id),
  no integer not null,
  community_id text not null,
  name text not null,
  code text not null,
  -- The grid in force that it goes on as.
  kept_area_id text,
  locked integer not null check (locked in (0, 1)),
  dwellings integer not null,
  households integer not null,
  people integer not null,
  enterprises integer not null,
  -- Expected minutes of work a month.
  minutes integer not null,
  in_band integer not null check (in_band in (0, 1)),
  -- Compactness (1 is round), and metres a household walks to the middle.
  moi real not null,
  walk_m real not null,
  lon real not null,
  lat real not null,
  -- Households that lie in another grid today.
  moved_households integer not null,
  -- GeoJSON geometry.
  outline text,
  primary key (plan_id, no)
) strict;
create index plan_grid_by_community on plan_grid (plan_id, community_id, no);

-- The grid of each dwelling in a plan; none for a dwelling that is in no grid of it.
create table plan_dwelling (
  plan_id text not null,
  community_id text not null,
  dwelling_id text not null,
  no integer not null,
  primary key (plan_id, community_id, dwelling_id)
) strict;

-- What the grids of one community of a plan come to; made anew with every change of them.
create table plan_block (
  plan_id text not null,
  community_id text not null,
  dwellings integer not null,
  -- Dwellings in no grid.
  unplaced integer not null,
  grids integer not null,
  in_band integer not null,
  -- Grids in pieces.
  broken integer not null,
  households integer not null,
  least integer not null,
  most integer not null,
  -- Sum of the squares of the grids' households.
  squares real not null,
  cut real not null,
  moi_sum real not null,
  -- Metres times households.
  walk_sum real not null,
  minutes integer not null,
  moved_households integer not null,
  primary key (plan_id, community_id)
) strict;

-- Pieces of a community that cannot be divided within the band, and why.
create table plan_zone (
  plan_id text not null,
  community_id text not null,
  -- A dwelling of the piece.
  dwelling_id text not null,
  verdict text not null check (verdict in ('sum', 'units', 'packing', 'contiguity', 'unproven')),
  dwellings integer not null,
  households integer not null,
  grids integer not null,
  -- JSON: numbers of the grids out of band, ids of the dwellings that are above it alone.
  broken text not null,
  units text not null,
  primary key (plan_id, community_id, dwelling_id)
) strict;

create table plan_comment (
  id text primary key,
  plan_id text not null,
  -- The grid it speaks of, if one.
  no integer,
  body text not null,
  at integer not null,
  written_by text not null
) strict;
create index plan_comment_by_plan on plan_comment (plan_id, id);
