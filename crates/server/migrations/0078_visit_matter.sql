-- What somebody asked for at a visit, or was found there: the cases it became (YC-21), so that the next visit knows what was promised. A case may
-- arrive after its visit, and one that was refused never does.
create table visit_matter (
  visit_id text not null references visit (id),
  case_id text not null,
  primary key (visit_id, case_id)
) strict;
