-- The Temporal namespace that holds this installation's runs: the newest row. A worker of another one would take every open
-- run for lost.

create table temporal_namespaces (
  id bigint generated always as identity primary key,
  -- Temporal's own UUID of it: another server has another, whatever it is called.
  namespace_id text not null,
  name text not null,
  tied_at timestamptz not null default clock_timestamp(),
  tied_by text not null,
  reason text not null
);
create trigger temporal_namespaces_append_only before update or delete on temporal_namespaces
  for each row execute function refuse_change();
create trigger temporal_namespaces_no_truncate before truncate on temporal_namespaces
  for each statement execute function refuse_change();
