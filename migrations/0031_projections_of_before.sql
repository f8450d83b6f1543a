-- Events of before the trigger of 0022. Apart from it, because its lock keeps new events away; those come by the trigger meanwhile.
insert into tenant_projections as p (tenant_id, cell, newest_event_id, pending_since)
select t.id, t.cell, max(e.id), min(e.at) from tenants t join events e on e.tenant_id = t.id group by t.id, t.cell
on conflict (tenant_id) do update
  set newest_event_id = greatest(p.newest_event_id, excluded.newest_event_id),
    pending_since = least(p.pending_since, excluded.pending_since);
