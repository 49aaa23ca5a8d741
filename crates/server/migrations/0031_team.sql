-- Visiting teams 走访队 (LH-22): a unit sends one, a grid worker is its liaison, and it listens in its areas. What it heard is a case.
create table team (
  id text primary key,
  name text not null unique,
  -- The unit that sends it.
  unit_id text not null references unit (id),
  -- The grid worker who ties it to the grid and owes the answers.
  liaison_id text not null references worker (id),
  valid_from text not null,
  valid_to text
) strict;
create index team_by_liaison on team (liaison_id);

create table team_area (
  team_id text not null references team (id),
  area_id text not null references area (id),
  primary key (team_id, area_id)
) strict;

create table team_member (
  id text primary key,
  team_id text not null references team (id),
  worker_id text not null references worker (id),
  valid_from text not null,
  valid_to text
) strict;
create index team_member_by_team on team_member (team_id);
create index team_member_by_worker on team_member (worker_id);

-- The team that heard it. As with areas and units no foreign key: a case keeps what it was made under.
alter table cases add column team_id text;
create index cases_team_received on cases (team_id, received_at, id) where team_id is not null;

-- Someone a department sends: hears residents in the team's areas and sees what becomes of it, nothing more.
insert into role (key, name_zh, name_en, permissions) values
  ('team_member', '走访队员', 'Visiting team member', '["case.intake","case.read","workforce.read","field.use"]');
