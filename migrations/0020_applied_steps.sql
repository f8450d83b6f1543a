-- Apart from 0019, whose locks keep everybody out: here only the rows are locked.
update steps s set applied = jsonb_build_object('outputs', s.outputs, 'outputsHash', s.outputs_hash, 'inputsHash', s.inputs_hash)
from tenants t where t.id = s.tenant_id and t.status = 'active' and s.state = 'ready';
