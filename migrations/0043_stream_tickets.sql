-- What a browser opens one live stream with, since it cannot send a header with it (docs/streams.md). Of the ticket itself only its hash is kept.
create table stream_tickets (
  -- SHA-256 of 256 random bits as they are written: nobody finds those by trying.
  hash bytea primary key check (octet_length(hash) = 32),
  tenant_id uuid not null references tenants (id),
  -- Whom it stands for: who asked for it.
  principal text not null,
  role text not null check (role in ('platform-admin', 'platform-operator', 'tenant-admin', 'self-service')),
  -- Null: all tenants.
  scope jsonb,
  -- What the credential that asked for it is known by, without its secret: the stream is held to it. Null: nobody was asked.
  credential jsonb,
  credential_expires_at timestamptz,
  expires_at timestamptz not null default clock_timestamp() + interval '30 seconds'
);
create index stream_tickets_expiry on stream_tickets (expires_at);
