-- The track of a patrol: where somebody walked in duty time, sealed, with what it comes to. Why: evidence that a round was walked.

create table visit_track (
  visit_id text primary key references visit (id),
  -- JSON: seconds after the beginning, longitude, latitude, metres of accuracy; and the pauses.
  track_sealed blob not null,
  points integer not null,
  -- But for gaps and pauses.
  metres real not null,
  gaps integer not null,
  longest_gap_s integer not null
) strict;

-- The patrols of one day.
create index visit_by_day on visit (day, act, worker_id);
