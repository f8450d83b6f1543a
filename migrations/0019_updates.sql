-- What is added to tables that have rows is checked by 0032, which nobody waits for.
-- An active tenant is changed: operations that walk to another blueprint, and back to the applied one.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check check (type in ('provision', 'update', 'deprovision')) not valid;

-- From then on an operation is only finished: what it drops is not brought back. Null: not that far yet.
alter table operations add column committed_at timestamptz;

-- What a step was when its operation succeeded last: { outputs, outputsHash, inputsHash }. An undo walks back to it.
alter table steps add column applied jsonb,
  add constraint steps_applied_check check (jsonb_typeof(applied) = 'object') not valid;

-- An update that can be finished in neither direction may be superseded by a deletion.
insert into tenant_status_transitions (from_status, to_status) values ('updating', 'deleting');
