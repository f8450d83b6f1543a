-- What operators choose for a tenant: its row shows what is desired. Version 1 of a tenant of before is no choice at all.
alter table tenants add column settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  add column settings_version integer not null default 1;

-- The version that the operation carries out. What the last one that succeeded carried out is applied.
alter table operations add column settings_version integer not null default 1;

-- Who chose what, and when. An operation of its own carries a version out; without one it took effect at once.
create table tenant_settings (
  tenant_id uuid not null references tenants (id),
  version integer not null,
  settings jsonb not null check (jsonb_typeof(settings) = 'object'),
  mode text not null check (mode in ('active', 'suspended')),
  operation_id uuid references operations (id),
  caller jsonb check (jsonb_typeof(caller) = 'object'),
  at timestamptz not null default now(),
  primary key (tenant_id, version)
);
create trigger tenant_settings_append_only before update or delete on tenant_settings
  for each row execute function refuse_change();
create trigger tenant_settings_no_truncate before truncate on tenant_settings
  for each statement execute function refuse_change();
