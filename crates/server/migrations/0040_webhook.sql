-- Signed webhooks (Standard Webhooks): where a partner is told of public changes, and every message with what became of it.

create table webhook (
  id text primary key,
  partner_id text not null references partner (id),
  url text not null,
  -- Sealed; the secret is shown once.
  secret_sealed blob not null,
  -- Changes before this moment have become messages.
  told_until integer not null,
  created_at integer not null,
  created_by text not null,
  created_name text not null,
  stopped_at integer,
  -- A person's name, or 'gone' when the receiver said that it is gone for good (410).
  stopped_by text
) strict;
create index webhook_partner on webhook (partner_id, created_at);

create table webhook_message (
  id text primary key,
  webhook_id text not null references webhook (id),
  at integer not null,
  kind text not null,
  -- The number of the case; empty for a trial.
  number text not null,
  body text not null,
  state text not null check (state in ('waiting', 'delivered', 'failed')),
  attempts integer not null default 0,
  -- When it is tried next; empty when it is not.
  next_at integer,
  -- What the last attempt gave: an HTTP status, or the code of what went wrong.
  outcome text,
  ended_at integer
) strict;
create index webhook_message_due on webhook_message (next_at) where next_at is not null;
create index webhook_message_log on webhook_message (webhook_id, at, id);
