-- AWS's token buckets as this installation draws on them, by account and region ('global': Route 53). Workers lease portions
-- of them (docs/adr/0012). A row that is lost only means a full bucket.
create table rate_buckets (
  account_id text not null,
  region text not null,
  bucket text not null,
  -- As of refilled_at; below zero after an outage in which more was spent than was there.
  tokens double precision not null,
  refilled_at timestamptz not null default clock_timestamp(),
  -- Processes that asked within the last minute, with the epoch second at which they did.
  askers jsonb not null default '{}',
  primary key (account_id, region, bucket)
);

-- Takes as many tokens as all of the buckets have, `wanted` at most, leaving each one its floor. `spent` are tokens that the
-- asker used without asking, while it could not. All of it in one round trip: rows are locked in the order of their names.
create function lease_rate_tokens(
  in_account text, in_region text, names text[], capacities double precision[], rates double precision[],
  floors double precision[], wanted integer, spent integer, asker text,
  out granted integer, out next_ms double precision, out askers integer, out workers integer
) language plpgsql as $$
declare
  read_at timestamptz;
  read_epoch double precision;
begin
  insert into rate_buckets (account_id, region, bucket, tokens)
    select in_account, in_region, c.name, c.capacity from unnest(names, capacities) as c (name, capacity) order by c.name
    on conflict do nothing;
  perform from rate_buckets b where b.account_id = in_account and b.region = in_region and b.bucket = any (names)
    order by b.bucket for update;
  -- The clock is read once the rows are ours. One that was set back gives nothing, and is the clock from then on.
  read_at := clock_timestamp();
  read_epoch := extract(epoch from read_at);
  update rate_buckets b set
    tokens = greatest(-c.capacity,
      least(c.capacity, b.tokens + greatest(0, extract(epoch from read_at - b.refilled_at)) * c.rate) - spent),
    refilled_at = read_at,
    askers = coalesce((select jsonb_object_agg(a.key, a.value) from jsonb_each(b.askers) a
      where (a.value)::double precision > read_epoch - 60), '{}') || jsonb_build_object(asker, read_epoch)
    from unnest(names, capacities, rates) as c (name, capacity, rate)
    where b.account_id = in_account and b.region = in_region and b.bucket = c.name;
  select greatest(0, least(wanted, floor(min(b.tokens - c.floor)))) into granted
    from rate_buckets b join unnest(names, floors) as c (name, floor) on c.name = b.bucket
    where b.account_id = in_account and b.region = in_region;
  update rate_buckets b set tokens = b.tokens - granted
    where b.account_id = in_account and b.region = in_region and b.bucket = any (names);
  select max(greatest(0, (c.floor + 1 - b.tokens) / c.rate * 1000)),
      max((select count(*) from jsonb_each(b.askers) a where (a.value)::double precision > read_epoch - 5)),
      max((select count(*) from jsonb_object_keys(b.askers)))
    into next_ms, askers, workers
    from rate_buckets b join unnest(names, rates, floors) as c (name, rate, floor) on c.name = b.bucket
    where b.account_id = in_account and b.region = in_region;
  workers := greatest(workers, (select count(*) from worker_heartbeats h
    where h.stopped_at is null and h.beat_at > read_at - interval '30 seconds'));
end $$;
