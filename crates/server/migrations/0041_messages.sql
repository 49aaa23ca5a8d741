-- Messages both ways: who writes by SMS or through the public account, what came in, and what became of each message that went out.

create table contact (
  id text primary key,
  channel text not null check (channel in ('sms', 'public_account')),
  -- The phone number, or the account's name for its follower (openid); sealed, found by its keyed fingerprint.
  address_sealed blob not null,
  address_index text not null,
  -- Since when they want to hear nothing but direct answers.
  opted_out_at integer,
  created_at integer not null
) strict;
create unique index contact_address on contact (channel, address_index);

-- Where this reporter wants to hear how it goes on.
alter table reporter add column contact_id text;
create index reporter_contact on reporter (contact_id) where contact_id is not null;

-- A message that a gateway takes: to whom, when it is tried next, how often it was, what the last attempt or the report gave.
alter table outbox add column contact_id text;
-- A direct answer, sealed: it may hold the resident's own words or their code.
alter table outbox add column body_sealed blob;
alter table outbox add column parts integer;
alter table outbox add column attempts integer not null default 0;
alter table outbox add column next_at integer;
alter table outbox add column outcome text;
create index outbox_next on outbox (next_at) where next_at is not null;
create index outbox_contact on outbox (contact_id, created_at) where contact_id is not null;
create index outbox_time on outbox (channel, created_at) where contact_id is not null;

create table incoming (
  id text primary key,
  contact_id text not null references contact (id),
  channel text not null,
  -- The gateway's own id: the same again is the same message.
  gateway_id text not null,
  at integer not null,
  body_sealed blob not null,
  parts integer not null,
  -- What it was taken as: report, status, rate, object, add, stop, start, help, refused.
  kind text not null,
  case_id text,
  -- Why it was refused; empty when it was not.
  outcome text,
  -- The direct answer, in the outbox.
  reply_id text
) strict;
create unique index incoming_gateway on incoming (channel, gateway_id);
create index incoming_contact on incoming (contact_id, at);
create index incoming_time on incoming (channel, at);

-- Parts of a long text until all are there; kept some days so that a part that comes twice is known.
create table incoming_part (
  channel text not null,
  gateway_id text not null,
  contact_id text not null references contact (id),
  reference integer not null,
  total integer not null,
  seq integer not null,
  at integer not null,
  body_sealed blob not null,
  joined_at integer,
  primary key (channel, gateway_id)
) strict;
create index incoming_part_open on incoming_part (at) where joined_at is null;
create index incoming_part_of on incoming_part (contact_id, reference) where joined_at is null;
create index incoming_part_joined on incoming_part (joined_at) where joined_at is not null;

-- How many messages and parts of a channel in one day.
create table message_day (
  channel text not null,
  day integer not null,
  messages_in integer not null default 0,
  parts_out integer not null default 0,
  primary key (channel, day)
) strict;
