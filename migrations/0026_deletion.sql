-- A deletion may wait: until then nothing is removed, and a cancel brings the tenant back to the status of before.
alter table operations add column grace_until timestamptz, add column status_before text;
insert into tenant_status_transitions (from_status, to_status)
values ('deleting', 'active'), ('deleting', 'suspended'), ('deleting', 'failed');

-- When a resource was seen absent. What was removed before this column has the time of its last change.
alter table ledger add column absent_at timestamptz;
update ledger set absent_at = updated_at where state = 'removed';

-- Keys of this installation that sign; the private part is encrypted as payloads are. A retired one only verifies.
create table signing_keys (
  kid text primary key,
  public_jwk jsonb not null check (jsonb_typeof(public_jwk) = 'object'),
  private_jwk bytea not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
create unique index signing_keys_in_use on signing_keys ((true)) where retired_at is null;

-- What was certified of a deletion, once and for all.
create table certificates (
  operation_id uuid primary key references operations (id),
  tenant_id uuid not null references tenants (id),
  jws jsonb not null check (jsonb_typeof(jws) = 'object'),
  at timestamptz not null default now()
);
create index certificates_by_tenant on certificates (tenant_id, at desc);
create trigger certificates_append_only before update or delete on certificates
  for each row execute function refuse_change();
create trigger certificates_no_truncate before truncate on certificates
  for each statement execute function refuse_change();
