-- Cells may share a load balancer, a listener or a zone, so their places are looked for without the cell.
create index allocations_by_place on allocations (kind, scope, key) where kind <> 'resource-name';
