-- Where events are told of (docs/webhooks.md). One of a product, of a tenant, or, with neither, of all tenants.
create table webhooks (
  id uuid primary key,
  url text not null,
  -- Scheme, host and port of it: deliveries are bounded by it.
  origin text not null,
  description text,
  product text,
  tenant_id uuid references tenants (id),
  -- Null: all that webhooks tell of.
  event_types text[],
  created_at timestamptz not null default now(),
  created_by jsonb not null,
  -- Null: it is told. What comes meanwhile waits.
  disabled_at timestamptz,
  disabled_reason text,
  -- Its receiver asked for a pause until then.
  resume_at timestamptz not null default '-infinity',
  -- Failed attempts since the last one that was answered well.
  failures integer not null default 0,
  delivered_at timestamptz,
  -- When an alert was raised that still stands; null: none does.
  dead_told_at timestamptz,
  behind_told_at timestamptz,
  deleted_at timestamptz,
  check (product is null or tenant_id is null)
);
create index webhooks_of_tenant on webhooks (tenant_id) where deleted_at is null and tenant_id is not null;
create index webhooks_of_many on webhooks (product) where deleted_at is null and tenant_id is null;

-- Secrets that sign, encrypted. Null: until a rotation.
create table webhook_secrets (
  id bigint generated always as identity primary key,
  webhook_id uuid not null references webhooks (id),
  sealed bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create index webhook_secrets_of on webhook_secrets (webhook_id);

-- Who did what to a webhook: append-only. Holds no secret.
create table webhook_changes (
  id bigint generated always as identity primary key,
  webhook_id uuid not null references webhooks (id),
  at timestamptz not null default clock_timestamp(),
  what text not null,
  caller jsonb not null,
  data jsonb not null default '{}'
);
create index webhook_changes_of on webhook_changes (webhook_id, id);
create trigger webhook_changes_append_only before update or delete on webhook_changes
  for each row execute function refuse_change();
create trigger webhook_changes_no_truncate before truncate on webhook_changes
  for each statement execute function refuse_change();

-- One event for one webhook. The id is what receivers know it by, however often it is sent: an event's own id comes again
-- after a restored backup.
create table webhook_deliveries (
  id uuid primary key default gen_random_uuid(),
  webhook_id uuid not null references webhooks (id),
  tenant_id uuid not null references tenants (id),
  -- Of the events, which are never deleted.
  event_id bigint not null,
  type text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  queued_at timestamptz not null default now(),
  -- The days that it is tried for are counted from here: a replay begins anew.
  since timestamptz not null default now(),
  attempts integer not null default 0,
  attempted_at timestamptz,
  ended_at timestamptz,
  -- Of the last attempt.
  http_status integer,
  error text,
  unique (webhook_id, event_id)
);
create index webhook_deliveries_next on webhook_deliveries (webhook_id, tenant_id, event_id) where state = 'pending';
create index webhook_deliveries_waiting on webhook_deliveries (webhook_id, queued_at) where state = 'pending';
create index webhook_deliveries_dead on webhook_deliveries (webhook_id, event_id) where state = 'dead';
create index webhook_deliveries_ended on webhook_deliveries (ended_at) where state <> 'pending';

-- What is delivered in order: the events of a tenant for a webhook. 'infinity': nothing waits.
create table webhook_queues (
  webhook_id uuid not null references webhooks (id),
  tenant_id uuid not null references tenants (id),
  next_attempt_at timestamptz not null,
  primary key (webhook_id, tenant_id)
);
create index webhook_queues_due on webhook_queues (webhook_id, next_attempt_at);

-- Types of events that webhooks tell of; held against the code by a test.
create table webhook_event_types (type text primary key);
insert into webhook_event_types (type) values
  ('tenant.accepted'), ('tenant.status'), ('tenant.tier'), ('tenant.health'), ('tenant.isolated'), ('tenant.isolation-lifted'),
  ('operation.accepted'), ('operation.state'), ('operation.slow');

-- In the transaction of the event, so that none is missed; the lock of 0002 makes the ids of a tenant rise in the order of commits.
create function queue_webhook_deliveries() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook_event_types where type = new.type) then return null; end if;
  with made as (
    insert into webhook_deliveries (webhook_id, tenant_id, event_id, type)
    select w.id, new.tenant_id, new.id, new.type from webhooks w
    where w.deleted_at is null and (w.event_types is null or new.type = any (w.event_types))
      and (w.tenant_id = new.tenant_id
        or (w.tenant_id is null
          and (w.product is null or w.product = (select t.product from tenants t where t.id = new.tenant_id))))
    order by w.id
    returning webhook_id, tenant_id)
  insert into webhook_queues as q (webhook_id, tenant_id, next_attempt_at)
  select webhook_id, tenant_id, now() from made order by webhook_id
  on conflict (webhook_id, tenant_id) do update
    set next_attempt_at = case when q.next_attempt_at = 'infinity' then excluded.next_attempt_at else q.next_attempt_at end;
  return null;
end $$;
create trigger events_told after insert on events for each row execute function queue_webhook_deliveries();
