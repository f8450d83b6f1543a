-- A notice in front of a tenant's host, whatever else is done to it: what is wanted, and what came of it.
create table tenant_isolations (
  tenant_id uuid primary key references tenants,
  cell text not null,
  -- The tenant's newest operation when it was asked for: ledger rows and marks name one.
  operation_id uuid not null references operations,
  wanted boolean not null,
  -- Rises with every request; in effect once it is settled.
  generation int not null default 1 check (generation > 0),
  settled_generation int not null default 0 check (settled_generation between 0 and generation),
  reason text not null,
  caller jsonb not null check (jsonb_typeof(caller) = 'object'),
  since timestamptz not null default now(),
  settled_at timestamptz,
  load_balancer_arn text not null,
  host text not null,
  outputs jsonb,
  -- Of the last attempt; null once one succeeded.
  failure jsonb,
  -- An effect of an attempt without an answer may land until then.
  unclear_until timestamptz,
  -- The generation that an alert was raised of.
  alerted_generation int
);
create index tenant_isolations_unsettled on tenant_isolations (since) where settled_generation < generation;
