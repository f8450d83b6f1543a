-- When a resource was last known for sure to be made: what carries another mark later is not gone.
alter table ledger add column made_at timestamptz;
update ledger l set made_at = l.updated_at from steps s
where s.tenant_id = l.tenant_id and s.step_id = l.step_id
  and (l.state in ('present', 'ready') or (l.state in ('removing', 'removed') and s.outputs is not null));

-- What a removal has to know on the next attempt, in whichever process that runs.
alter table steps add column removal jsonb;

-- Names that are derived from product and slug: two products may derive the same one.
alter table allocations drop constraint allocations_kind_check;
alter table allocations add constraint allocations_kind_check
  check (kind in ('load-balancer', 'rule-priority', 'host-name', 'resource-name'));
-- Over all cells, because two cells may share an account.
create unique index allocations_one_name on allocations (scope, key) where kind = 'resource-name';
insert into allocations (cell, kind, scope, key, tenant_id)
select cell, 'resource-name', type, name, tenant_id from ledger
where state <> 'removed'
  and (type in ('ecs:service', 'ecs:task-definition', 'logs:log-group')
    or (type = 'route53:record' and name not like '\_tenantry.%'))
on conflict do nothing;
