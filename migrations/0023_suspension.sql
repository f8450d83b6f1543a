-- An active tenant is suspended, and resumed.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'deprovision')) not valid;

-- What can be finished in neither direction may be superseded by a deletion.
insert into tenant_status_transitions (from_status, to_status)
values ('suspending', 'deleting'), ('resuming', 'deleting');
