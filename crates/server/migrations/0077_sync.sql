-- The phone's log of operations: each takes effect once, however often it arrives; what cannot is kept with its reason until somebody
-- settles it. Why: no report is ever lost, and none is doubled, by a line that breaks or a server set back to a backup.

-- A phone (or browser) of one account.
create table device (
  -- Made on the phone.
  id text primary key,
  account_id text not null references account (id),
  -- Kind of phone and browser, for the worker to know it by.
  name text not null,
  app text not null,
  first_seen_at integer not null,
  last_seen_at integer not null,
  -- Highest number of an operation taken in.
  highest integer not null,
  -- Milliseconds its clock was behind when it was last in touch.
  clock_ms integer not null,
  -- Lost or given away: what it knows is to be deleted at the next contact.
  revoked_at integer,
  revoked_by text,
  wiped_at integer
) strict;
create index device_of_account on device (account_id, last_seen_at);

create table operation (
  -- Made on the phone.
  id text not null,
  -- Keyed hash of what was asked: the same id with other content is another operation.
  fingerprint text not null,
  device_id text not null references device (id),
  number integer not null,
  account_id text not null references account (id),
  worker_id text references worker (id),
  -- The address it was meant for, ids left out.
  kind text not null,
  -- By the phone's clock, corrected.
  at integer not null,
  received_at integer not null,
  -- done; refused, decide, clash: kept until settled.
  verdict text not null,
  -- Why it was not done.
  code text,
  message text,
  -- Where its worker served then.
  area_id text,
  a1 text, a2 text, a3 text, a4 text, a5 text,
  -- JSON of what is kept: what was asked, and what it is called. Gone once settled.
  asked_sealed blob,
  settled_at integer,
  settled_by text,
  settled_name text,
  -- taken_in or given_up.
  settled_how text,
  primary key (id, fingerprint)
) strict;
create index operation_of_device on operation (device_id, number);
-- Those that wait for somebody.
create index operation_parked on operation (received_at, id) where verdict <> 'done' and settled_at is null;

-- Everything committed a while before is in the backup: what a phone may forget.
alter table backup_made add column began_at integer not null default 0;
