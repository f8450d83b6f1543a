-- How far each tenant's events are projected to DynamoDB: a cursor per tenant, because only within a tenant do the ids of
-- events rise in the order of commits (0002). The row is written in the event's own transaction, so none is missed.
create table tenant_projections (
  tenant_id uuid primary key references tenants (id),
  cell text not null,
  newest_event_id bigint not null,
  projected_event_id bigint not null default 0,
  -- When the oldest event came that is not projected yet; null: all are.
  pending_since timestamptz,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default '-infinity',
  last_error text
);
create index tenant_projections_pending on tenant_projections (cell, pending_since) where pending_since is not null;

create function note_event_for_projection() returns trigger language plpgsql as $$
begin
  insert into tenant_projections as p (tenant_id, cell, newest_event_id, pending_since)
  values (new.tenant_id, new.cell, new.id, new.at)
  on conflict (tenant_id) do update
    set newest_event_id = excluded.newest_event_id, pending_since = coalesce(p.pending_since, excluded.pending_since);
  return null;
end $$;
create trigger events_projected after insert on events for each row execute function note_event_for_projection();
