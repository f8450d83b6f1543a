-- The final dump that a deletion owes: `dump`, or `export` when it is also to be handed out. Null: none.
alter table operations add column final_dump text;

-- Every attempt at a dump, recorded before its first file is written.
create table archives (
  id uuid primary key,
  operation_id uuid not null references operations (id),
  tenant_id uuid not null references tenants (id),
  step_id text not null,
  kind text not null,
  cell text not null,
  -- nothing: there was no data. discarded: it failed, or another attempt took its place. removed: none of its files is left.
  state text not null check (state in ('writing', 'kept', 'nothing', 'discarded', 'removed')),
  bucket text not null,
  -- Of all its files, with the slash at its end.
  prefix text not null unique,
  exported boolean not null,
  -- Of one that is kept: what the manifest says; of `nothing`: why.
  manifest_sha256 text,
  files integer,
  bytes bigint,
  tables integer,
  rows bigint,
  reason text,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  expires_at timestamptz,
  removed_at timestamptz
);
create index archives_by_tenant on archives (tenant_id, started_at);
create index archives_of_steps on archives (operation_id, step_id);
create index archives_to_remove on archives (coalesce(expires_at, started_at)) where state in ('writing', 'kept', 'discarded');
-- One attempt of each step counts.
create unique index archives_that_count on archives (operation_id, step_id) where state in ('kept', 'nothing');
