-- Units, posts with a holder and a stand-in, workers, dated appointments and leave.
-- Why here: work belongs to posts, not to persons; who does it today is asked anew each time.

create table unit (
  id text primary key,
  code text not null unique,
  name text not null,
  -- What residents are told.
  public_name text not null,
  kind text not null check (kind in ('centre', 'bureau', 'station', 'committee', 'partner')),
  -- Key of the pack's responsible body.
  body text not null,
  area_id text not null references area (id),
  parent_id text,
  phone text not null,
  office text not null,
  hours text not null,
  valid_from text not null,
  valid_to text
) strict;

create index unit_by_area on unit (area_id, body);

-- Name and number of staff on duty are public; the private phone is not.
create table worker (
  id text primary key,
  name text not null,
  pinyin text not null,
  initials text not null,
  badge_no text not null unique,
  phone text not null,
  state text not null check (state in ('active', 'left'))
) strict;

create table post (
  id text primary key,
  unit_id text not null references unit (id),
  -- The area the post serves, where it is narrower than the unit's.
  area_id text references area (id),
  name text not null,
  -- Key of the pack's duty.
  duty text not null,
  -- Name of a shift of the pack's calendar; none: working hours.
  shift_key text
) strict;

create index post_by_unit on post (unit_id);
create index post_by_area on post (area_id, duty);

create table appointment (
  id text primary key,
  post_id text not null references post (id),
  worker_id text not null references worker (id),
  seat text not null check (seat in ('A', 'B')),
  valid_from text not null,
  valid_to text
) strict;

create index appointment_by_post on appointment (post_id);
create index appointment_by_worker on appointment (worker_id);

-- From an instant to an instant; ended early by moving the end.
create table leave_of (
  id text primary key,
  worker_id text not null references worker (id),
  from_at integer not null,
  to_at integer not null,
  reason text not null
) strict;

create index leave_by_worker on leave_of (worker_id, to_at);
