-- An active tenant is repaired: everything of it is brought back to the applied blueprint.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'repair', 'deprovision')) not valid;
alter table operations validate constraint operations_type_check;
