-- Cells in which automatic repair of drift was ever stopped. Drift and failures from before `resumed_at` do not count.
create table drift_breakers (
  cell text primary key,
  -- Null: it is not stopped.
  stopped_at timestamptz,
  reason text,
  resumed_at timestamptz,
  resumed_by jsonb check (jsonb_typeof(resumed_by) = 'object')
);
