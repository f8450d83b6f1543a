-- Keys that callers gave requests which change something (`Idempotency-Key`), so that a repeat does not change it twice (docs/adr/0023). A
-- row is written in the transaction of the change.
create table idempotency_keys (
  id uuid primary key,
  -- Of the caller: the keys of one say nothing about those of another.
  principal text not null,
  key text not null check (length(key) between 1 and 255),
  -- SHA-256 of method, path, query and body.
  request_hash text not null,
  -- What the request was answered with, encrypted. Null: its answer comes from a run, which was or is to be asked.
  answer bytea,
  -- The operation that was accepted with it: when that is withdrawn, the key is free again.
  operation_id uuid,
  -- What was asked of which run.
  asked jsonb,
  -- When a repeat was first answered from this row: what it was told must stay true, so its operation is not withdrawn any more.
  told_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null default clock_timestamp() + interval '24 hours',
  unique (principal, key)
);
create index idempotency_keys_operation on idempotency_keys (operation_id) where operation_id is not null;
create index idempotency_keys_expiry on idempotency_keys (expires_at);
