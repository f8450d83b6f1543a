-- Credentials of programs that call the API. Of the key itself only its hash is kept.
create table service_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  role text not null check (role in ('platform-admin', 'platform-operator', 'tenant-admin', 'self-service')),
  -- Of a tenant-admin: those that it may reach.
  tenants uuid[] not null default '{}' check ((role = 'tenant-admin') = (cardinality(tenants) > 0)),
  -- SHA-256 of 256 random bits as they are written: nobody finds those by trying.
  hash bytea not null unique check (octet_length(hash) = 32),
  -- The beginning of the key, by which people tell one from another.
  prefix text not null check (length(prefix) = 12),
  created_at timestamptz not null default now(),
  created_by text not null,
  expires_at timestamptz not null check (expires_at > created_at and expires_at <= created_at + interval '365 days'),
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text check ((revoked_by is null) = (revoked_at is null)),
  -- When another key took the name of this one, which had expired.
  superseded_at timestamptz check (superseded_at >= expires_at)
);
create unique index service_keys_name on service_keys (name) where revoked_at is null and superseded_at is null;
create index service_keys_newest on service_keys (created_at desc, id);

-- Who made and who revoked a key. `by` is who they say they are, the caller what the operating system says.
create table service_key_events (
  id bigint generated always as identity primary key,
  key_id uuid not null references service_keys,
  type text not null check (type in ('created', 'revoked')),
  at timestamptz not null default now(),
  by text not null,
  caller jsonb not null check (jsonb_typeof(caller) = 'object'),
  data jsonb not null default '{}'
);
create index service_key_events_of_key on service_key_events (key_id, id);
create trigger service_key_events_append_only before update or delete on service_key_events for each row execute function refuse_change();
create trigger service_key_events_no_truncate before truncate on service_key_events for each statement execute function refuse_change();
