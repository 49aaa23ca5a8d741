-- Work orders 交办单 (LH-14): a department's work that enters the grids. Its shares and the problems found are cases; here is only what
-- ties them together.
create table work_order (
  id text primary key,
  number text not null unique,
  -- The department that gives it.
  unit_id text not null,
  unit_name text not null,
  title text not null,
  body text not null,
  category_code text not null,
  state text not null check (state in ('open', 'cancelled')),
  created_by text not null,
  created_worker text,
  created_name text not null,
  created_at integer not null,
  -- Local day by which it should be fed back; ISO date.
  due_on text,
  cancelled_at integer,
  cancelled_name text,
  note text,
  content_hash text not null
) strict;
create index work_order_made on work_order (created_at, id);
create index work_order_unit on work_order (unit_id, created_at, id);

create table work_order_case (
  case_id text primary key references cases (id),
  order_id text not null references work_order (id),
  -- share: an area's part of the work; problem: something found while it was carried out.
  role text not null check (role in ('share', 'problem')),
  -- The share during which the problem was found.
  share_id text
) strict;
create index work_order_case_order on work_order_case (order_id, role, case_id);

-- The running number of a day.
create table work_order_serial (
  day integer primary key,
  last integer not null
) strict;
