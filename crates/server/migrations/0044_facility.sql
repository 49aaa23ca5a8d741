-- Facilities: what stands in the place (service points, offices, schools, buildings), with a position and, where one is known, an outline.
create table facility (
  id text primary key,
  -- The number its source has for it; the same number again is the same facility.
  code text not null unique,
  name text not null,
  kind text not null,
  area_id text not null references area (id),
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  lon real not null,
  lat real not null,
  -- GeoJSON of its outline.
  outline text,
  address text not null,
  hours text not null,
  phone text not null,
  -- Who may see it: anybody; also partners with a key for its area; staff in scope only.
  audience text not null check (audience in ('public', 'partner', 'staff')),
  changed_at integer not null,
  -- Number of the change that made it what it is; whoever keeps a copy asks for those after its own.
  change integer not null,
  removed_at integer
) strict;
create index facility_by_change on facility (change, id);

-- The number of the last change of facilities: one row, so that changes take their numbers in the order of their commits.
create table facility_change (
  id integer primary key check (id = 1),
  last integer not null
) strict;
insert into facility_change (id, last) values (1, 0);

-- A key now reads facilities too: one more call in the log of its use.
create table partner_use_next (
  id text primary key,
  partner_id text not null references partner (id),
  at integer not null,
  call text not null check (call in ('requests_in', 'requests_out', 'updates_in', 'updates_out', 'tokens', 'facilities_out')),
  -- 'done', or the code of the refusal.
  outcome text not null,
  -- How many requests, updates or facilities left the house, and which numbers.
  shared_count integer not null,
  shared_numbers text not null
) strict;
insert into partner_use_next (id, partner_id, at, call, outcome, shared_count, shared_numbers)
  select id, partner_id, at, call, outcome, shared_count, shared_numbers from partner_use;
drop table partner_use;
alter table partner_use_next rename to partner_use;
create index partner_use_partner on partner_use (partner_id, at, id);

-- Where matters of public kinds came in, by square of the fixed grid and thirty days, for the public map. A whole number is never above
-- the one it comes from, whichever way a database rounds.
insert into cube_case (area_id, measure, dim, key, day, strand, n)
  select area_id, 'received', 'cell', key, day, 0, count(*) from (
    select a1 as area_id, (((received_at + 28800000) / 86400000) / 30) * 30 as day,
      cast((cast(((lon + 180) * 400) as bigint) - case when cast(((lon + 180) * 400) as bigint) > ((lon + 180) * 400) then 1 else 0 end) as text) || '/' ||
      cast((cast(((lat + 90) * 400) as bigint) - case when cast(((lat + 90) * 400) as bigint) > ((lat + 90) * 400) then 1 else 0 end) as text) as key
    from cases where public = 1 and lon is not null and lat is not null and a1 is not null and state not in ('withdrawn', 'merged')
  ) as squares group by area_id, key, day;
