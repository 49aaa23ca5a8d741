-- What a plan made from a department's zoning took over of each zone, and why not: kept beside the plan, so that the list stays.
create table zone_verdict (
  plan_id text not null references plan (id),
  zoning_id text not null references zoning (id),
  zone_no integer not null,
  community_id text not null,
  households integer not null,
  -- followed: one grid of the plan began as this zone's ground in the community.
  verdict text not null check (verdict in ('followed', 'too_small', 'too_large', 'apart')),
  grid_no integer,
  primary key (plan_id, zone_no, community_id)
) strict;
