-- The credentials of an active tenant are rotated.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'rotate', 'repair', 'deprovision')) not valid;

-- Which of its credentials a tenant's services use: one more with each rotation. Desired, as settings and mode are.
alter table tenants add column credentials integer not null default 1 check (credentials > 0);
alter table tenant_settings add column credentials integer not null default 1 check (credentials > 0);
