-- An active tenant is changed: operations that walk to another blueprint, and back to the applied one.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check check (type in ('provision', 'update', 'deprovision'));

-- From then on an operation is only finished: what it drops is not brought back. Null: not that far yet.
alter table operations add column committed_at timestamptz;

-- What a step was when its operation succeeded last: { outputs, outputsHash, inputsHash }. An undo walks back to it.
alter table steps add column applied jsonb check (jsonb_typeof(applied) = 'object');
update steps s set applied = jsonb_build_object('outputs', s.outputs, 'outputsHash', s.outputs_hash, 'inputsHash', s.inputs_hash)
from tenants t where t.id = s.tenant_id and t.status = 'active' and s.state = 'ready';

-- An update that can be finished in neither direction may be superseded by a deletion.
insert into tenant_status_transitions (from_status, to_status) values ('updating', 'deleting');
