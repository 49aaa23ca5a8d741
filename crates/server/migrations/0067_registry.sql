-- Registry 人房: households in their rooms, residents with dated residences, organisations, and how many there are in every area.
-- Why: what is known of a home is collected once and shared. Names, numbers and phones are sealed with a key for each person, which is
-- destroyed with them.

create table household (
  id text primary key,
  -- The number its source has for it 户号, where it has one.
  number text,
  -- The building, where it is known. As with areas no foreign key: a map made anew ends dwellings.
  dwelling_id text,
  -- The lowest area it lies in, and those around it.
  area_id text not null,
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  -- Each part in its written form; place_key sorts as a walk: number of the dwelling, then the room.
  building text,
  entrance text,
  floor integer,
  room text,
  place_key text not null,
  -- Residents who belong to it now.
  residents integer not null check (residents >= 0),
  split_from text,
  valid_from text not null,
  -- Last day, and how it ended.
  valid_to text,
  ended_how text check (ended_how in ('moved_away', 'dissolved')),
  row_version integer not null,
  created_at integer not null
) strict;
create index household_by_area on household (area_id, place_key, id);
create index household_by_dwelling on household (dwelling_id, place_key, id);
create index household_by_number on household (number);

create table resident (
  id text primary key,
  -- The household they belong to, or did last.
  household_id text not null references household (id),
  relation text not null,
  -- Under the person's own key (person_key); null once erased.
  name_sealed blob,
  id_number_sealed blob,
  phones_sealed blob,
  -- Keyed fingerprint: nobody is registered twice.
  id_number_index text unique,
  -- ISO date and male or female, as the identity number says.
  born text,
  sex text check (sex in ('male', 'female')),
  valid_from text not null,
  valid_to text,
  ended_how text check (ended_how in ('moved_away', 'died')),
  erased_at integer,
  row_version integer not null,
  created_at integer not null
) strict;
create index resident_by_household on resident (household_id, id);
create unique index resident_householder on resident (household_id) where relation = 'householder' and valid_to is null;

-- The key a person's fields are sealed with, itself sealed under a key of the installation. Without this row nothing of theirs opens.
create table person_key (
  subject_id text primary key,
  key_sealed blob not null
) strict;

-- Shortened keyed fingerprints of the beginnings of names (written, pinyin, initials) and of phone numbers. Short on purpose: several
-- texts share one, and what is found is compared after opening.
create table resident_index (
  print_index integer not null,
  resident_id text not null references resident (id),
  primary key (print_index, resident_id)
) strict;
create index resident_index_by_resident on resident_index (resident_id);

-- Where somebody is registered and where they live, from a day to a day, both included; of a kind one at a time.
create table residence (
  id text primary key,
  resident_id text not null references resident (id),
  household_id text not null references household (id),
  kind text not null check (kind in ('registered', 'actual')),
  valid_from text not null,
  valid_to text
) strict;
create index residence_by_resident on residence (resident_id, valid_from, id);
create index residence_by_household on residence (household_id, id);

create table organisation (
  id text primary key,
  unified_code text unique,
  name text not null,
  kind text not null check (kind in ('company', 'shop', 'institution', 'association', 'other')),
  dwelling_id text,
  area_id text not null,
  a1 text,
  a2 text,
  a3 text,
  a4 text,
  a5 text,
  building text,
  entrance text,
  floor integer,
  room text,
  place_key text not null,
  -- Who is asked there, under a key of the organisation's own (person_key).
  contact_name_sealed blob,
  contact_phone_sealed blob,
  valid_from text not null,
  valid_to text,
  row_version integer not null,
  created_at integer not null
) strict;
create index organisation_by_area on organisation (area_id, place_key, id);
create index organisation_by_dwelling on organisation (dwelling_id, place_key, id);

-- What lives in an area and all below it now; kept with every change, in as many parts as there are writers.
create table registry_count (
  area_id text not null,
  strand integer not null,
  households integer not null,
  residents integer not null,
  organisations integer not null,
  primary key (area_id, strand)
) strict;

update role set permissions = replace(permissions, ']', ',"registry.read","registry.write","registry.reveal"]')
  where key in ('grid_worker', 'dispatcher');
update role set permissions = replace(permissions, ']', ',"registry.read","registry.reveal"]') where key = 'clerk';
update role set permissions = replace(permissions, ']', ',"registry.read"]') where key in ('liaison', 'supervisor');
update role set permissions = replace(permissions, ']', ',"registry.erase"]') where key = 'security_admin';
