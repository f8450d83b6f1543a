-- What looks from outside say of a tenant in operation. Its row goes when the tenant is out of service.
create table tenant_health (
  tenant_id uuid primary key references tenants,
  cell text not null,
  -- Null: no verdict yet.
  status text check (status in ('healthy', 'degraded', 'unhealthy', 'unknown')),
  since timestamptz,
  reason text,
  -- The latest result, and how many rounds in a row gave it: a verdict changes after several equal ones.
  result text not null check (result in ('healthy', 'degraded', 'unhealthy', 'unknown')),
  results int not null check (results > 0),
  -- The round that looked last: it counts once, however often it is repeated.
  round timestamptz not null,
  looked_at timestamptz not null,
  check ((status is null) = (since is null))
) with (fillfactor = 70);
-- Not of looked_at: then each look would write the index, too.
create index tenant_health_by_cell on tenant_health (cell);
