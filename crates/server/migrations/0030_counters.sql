-- Serial numbers in blocks, one a writer's strand: writers no longer wait for each other at the day's counter.
create table case_serial_block (
  day integer not null,
  strand integer not null,
  next integer not null,
  last integer not null,
  primary key (day, strand)
) strict;

-- What is due soon, by the hour of its deadline, so that it costs the same however many cases there are.
insert into cube_case (area_id, measure, dim, key, day, strand, n)
  select area_id, 'due', 'all', '', hour, 0, count(*) from (
    select a1 as area_id, due_at / 3600000 as hour from cases where open = 1 and late = 0 and due_at is not null
    union all select a2, due_at / 3600000 from cases where open = 1 and late = 0 and due_at is not null
    union all select a3, due_at / 3600000 from cases where open = 1 and late = 0 and due_at is not null
    union all select a4, due_at / 3600000 from cases where open = 1 and late = 0 and due_at is not null
    union all select a5, due_at / 3600000 from cases where open = 1 and late = 0 and due_at is not null
  ) as hours where area_id is not null group by area_id, hour;
