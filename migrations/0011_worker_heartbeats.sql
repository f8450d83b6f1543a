-- Workers that live, as they say themselves: Temporal lists whoever polled within five minutes, the dead among them.

create table worker_heartbeats (
  -- As Temporal lists its pollers.
  identity text primary key,
  beat_at timestamptz not null default clock_timestamp(),
  -- Set when the worker stopped in order.
  stopped_at timestamptz
);

-- The list of tenants leaves out by default those of which nothing is left (src/db/tenants.ts, `isGone`).
create index tenants_present on tenants (created_at desc, id)
  where not (status = 'deleted' or (status = 'failed' and not cleanup_pending));
create index tenants_by_slug on tenants (slug, product, created_at desc);
