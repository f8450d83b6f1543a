-- The system of record. Every status change, its event and the ledger row that goes with it are one transaction.

create table installation (
  id uuid not null primary key default gen_random_uuid(),
  singleton boolean not null default true unique check (singleton),
  created_at timestamptz not null default now()
);
insert into installation default values;

create table tenant_status_transitions (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
insert into tenant_status_transitions (from_status, to_status) values
  ('pending', 'validating'), ('pending', 'deleted'),
  ('validating', 'creating'), ('validating', 'failed'),
  ('creating', 'active'), ('creating', 'failed'),
  ('active', 'suspending'), ('active', 'updating'), ('active', 'migrating'), ('active', 'deleting'),
  ('failed', 'creating'), ('failed', 'deleting'), ('failed', 'deleted'),
  ('suspending', 'suspended'), ('suspending', 'active'),
  ('suspended', 'resuming'), ('suspended', 'deleting'),
  ('resuming', 'active'), ('resuming', 'suspended'),
  ('updating', 'active'),
  ('migrating', 'active'),
  ('deleting', 'deleted');

create table tenants (
  id uuid primary key,
  product text not null,
  tier text,
  slug text not null,
  display_name text not null,
  contact_email text not null,
  cell text not null,
  host_name text not null,
  tenant_url text not null,
  status text not null default 'pending' check (status in (
    'pending', 'validating', 'creating', 'active', 'failed', 'suspending', 'suspended', 'resuming', 'updating',
    'migrating', 'deleting', 'deleted')),
  cleanup_pending boolean not null default false,
  failure jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- First time active: from then on an undo never drops its data and its slug is quarantined after removal.
  activated_at timestamptz,
  deleted_at timestamptz
);
create index tenants_by_creation on tenants (created_at desc, id);

create function check_tenant_status() returns trigger language plpgsql as $$
begin
  if new.status <> old.status and not exists (
    select 1 from tenant_status_transitions where from_status = old.status and to_status = new.status
  ) then
    raise exception 'tenant % may not go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
  end if;
  new.updated_at := now();
  return new;
end $$;
create trigger tenants_status before update on tenants for each row execute function check_tenant_status();

create table operations (
  id uuid primary key,
  tenant_id uuid not null references tenants (id),
  cell text not null,
  type text not null check (type in ('provision', 'deprovision')),
  state text not null default 'accepted' check (state in (
    'accepted', 'running', 'holding', 'committing', 'rolling-back', 'stuck',
    'succeeded', 'rolled-back', 'cancelled', 'abandoned', 'superseded', 'withdrawn')),
  blueprint jsonb not null,
  on_failure text not null default 'hold' check (on_failure in ('hold', 'rollback')),
  hold_ms bigint not null,
  workflow_id text not null,
  run_id text,
  generation integer not null default 1,
  failure jsonb,
  leftovers jsonb,
  cancel_requested_at timestamptz,
  accepted_at timestamptz not null default now(),
  claimed_at timestamptz,
  closed_at timestamptz,
  updated_at timestamptz not null default now()
);
-- One open operation per tenant: the 409 OPERATION_IN_PROGRESS.
create unique index operations_one_open on operations (tenant_id)
  where state in ('accepted', 'running', 'holding', 'committing', 'rolling-back', 'stuck');
create index operations_accepted on operations (accepted_at) where state = 'accepted';
create index operations_by_tenant on operations (tenant_id, accepted_at desc);

-- One row per step of a tenant: what the executor's activities know of it across attempts, retries and operations.
create table steps (
  tenant_id uuid not null references tenants (id),
  step_id text not null,
  cell text not null,
  kind text not null,
  operation_id uuid not null references operations (id),
  state text not null check (state in ('intended', 'present', 'ready', 'removing', 'removed')),
  generation integer not null,
  inputs_hash text,
  outputs jsonb,
  outputs_hash text,
  -- Until then an effect of an attempt without a clear answer may still land (design rule 7).
  unclear_until timestamptz,
  started_at timestamptz not null default now(),
  ready_at timestamptz,
  removing_at timestamptz,
  removed_at timestamptz,
  detail text,
  failure jsonb,
  primary key (tenant_id, step_id)
);

-- The ledger: one row per resource that we ever set out to make, several per step where a step makes several.
create table ledger (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references tenants (id),
  step_id text not null,
  cell text not null,
  operation_id uuid not null references operations (id),
  type text not null,
  name text not null,
  physical_id text,
  state text not null check (state in ('intended', 'present', 'ready', 'removing', 'removed')),
  residues jsonb,
  failure jsonb,
  intended_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, step_id, type, name)
);
create index ledger_not_removed on ledger (cell, tenant_id) where state <> 'removed';

-- Append-only: the audit trail and the outbox.
create table events (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  cell text not null,
  tenant_id uuid not null references tenants (id),
  operation_id uuid references operations (id),
  type text not null,
  step_id text,
  data jsonb not null default '{}'
);
create index events_by_tenant on events (tenant_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger events_append_only before update or delete on events for each row execute function refuse_change();
create trigger events_no_truncate before truncate on events for each statement execute function refuse_change();

create function announce_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('tenantry_events', new.tenant_id::text);
  return null;
end $$;
create trigger events_announced after insert on events for each row execute function announce_event();

-- Places in something that is shared: ALB placement, listener-rule priorities, host names.
create table allocations (
  id bigint generated always as identity primary key,
  cell text not null,
  kind text not null check (kind in ('load-balancer', 'rule-priority', 'host-name')),
  scope text not null,
  key text not null,
  -- Null: a foreign holder was seen there, so it is not ours to give.
  tenant_id uuid references tenants (id),
  step_id text,
  created_at timestamptz not null default now(),
  unique (cell, kind, scope, key)
);
create index allocations_by_tenant on allocations (tenant_id);

-- Slugs: held by a living tenant, or in quarantine after the removal of one that was active.
create table reservations (
  product text not null,
  slug text not null,
  tenant_id uuid not null references tenants (id),
  reserved_at timestamptz not null default now(),
  quarantined_until timestamptz,
  primary key (product, slug)
);

-- Mails that events call for; sent by the worker outside any operation, retried for a day.
create table mails (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references tenants (id),
  operation_id uuid not null references operations (id),
  cell text not null,
  template text not null,
  attempts integer not null default 0,
  queued_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  sent_at timestamptz,
  message_id text,
  gave_up_at timestamptz,
  last_error text,
  unique (operation_id, template)
);
create index mails_due on mails (next_attempt_at) where sent_at is null and gave_up_at is null;
