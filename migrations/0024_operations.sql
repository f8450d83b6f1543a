-- An active tenant is repaired: everything of it is brought back to the applied blueprint.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'repair', 'deprovision')) not valid;
alter table operations validate constraint operations_type_check;

-- It also reads anew what its steps read outside the blueprint: templates, tenant migrations, the platform description.
alter table operations add column refreshes boolean not null default false;
