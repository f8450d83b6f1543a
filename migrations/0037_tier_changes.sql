-- An active tenant changes its tier.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'rotate', 'migrate', 'repair', 'deprovision')) not valid;

-- The tier that a tenant was in before its last change of tier; null: it has always been in the one that it is in.
alter table tenants add column came_from_tier text;

-- What can be finished in neither direction may be superseded by a deletion.
insert into tenant_status_transitions (from_status, to_status) values ('migrating', 'deleting');
