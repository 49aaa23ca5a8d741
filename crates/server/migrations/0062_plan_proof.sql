-- The proof that a plan covers everything once: read back from what is stored, not from whoever drew it.
-- placed: dwellings in force that lie in exactly one grid, a grid of their own community; strayed: places given to anything else.
alter table plan_block add column placed integer not null default 0;
alter table plan_block add column strayed integer not null default 0;
