-- What a look at a tenant's steps found beside what was applied, one row for each difference.
create table drift_findings (
  tenant_id uuid not null references tenants (id),
  step_id text not null,
  "is" text not null check ("is" in ('missing', 'changed', 'extra')),
  field text not null,
  wanted jsonb,
  found jsonb,
  remedy text not null check (remedy in ('repair', 'resume', 'refresh', 'hand')),
  source text not null check (source in ('look', 'sweep')),
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  -- When somebody was told; null: nobody was.
  alerted_at timestamptz
);
-- A tenant has several extras of one field: what was found tells them apart.
create unique index drift_findings_key on drift_findings
  (tenant_id, step_id, "is", field, md5(case when "is" = 'extra' then coalesce(found::text, '') else '' end));

-- The last look at each tenant.
create table drift_looks (
  tenant_id uuid primary key references tenants (id),
  cell text not null,
  looked_at timestamptz not null default now(),
  outcome text not null check (outcome in ('none', 'drift', 'unknown')),
  -- When its findings began; null without any.
  since timestamptz,
  unseen jsonb not null default '[]'
);
create index drift_looks_of_cell on drift_looks (cell, outcome);
