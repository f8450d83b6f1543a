-- The sweep: what it reported, what was approved of that, what was taken away on whose word.

create table sweep_reports (
  id uuid primary key,
  cell text not null,
  at timestamptz not null default clock_timestamp(),
  requested_by text not null,
  -- { state, detail }: how the ledger stood to the mark outside the database.
  mark jsonb not null,
  findings jsonb not null,
  too_young jsonb not null,
  counts jsonb not null,
  problems jsonb not null,
  approved_at timestamptz,
  approved_by text,
  -- [{ id, fingerprint }]: exactly what may be taken away.
  approved jsonb,
  check ((approved_at is null) = (approved_by is null) and (approved_at is null) = (approved is null))
);
create index sweep_reports_by_time on sweep_reports (at desc);

-- A report never changes but by its one approval; one that was approved stays for good.
create function keep_sweep_report() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.approved_at is not null then
      raise exception 'sweep report % was approved: it is kept', old.id using errcode = 'insufficient_privilege';
    end if;
    return old;
  end if;
  if old.approved_at is not null
    or (to_jsonb(new) - array['approved_at', 'approved_by', 'approved'])
      is distinct from (to_jsonb(old) - array['approved_at', 'approved_by', 'approved'])
  then
    raise exception 'sweep report % may change by its one approval only', old.id using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger sweep_reports_kept before update or delete on sweep_reports
  for each row execute function keep_sweep_report();

-- Since when a finding is seen without a break, and whether somebody was told.
create table sweep_sightings (
  cell text not null,
  finding_id text not null,
  first_seen_at timestamptz not null,
  alerted_at timestamptz,
  primary key (cell, finding_id)
);

-- Append-only: a row before each call that takes something away, and one after it.
create table sweep_removals (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  report_id uuid not null references sweep_reports (id),
  cell text not null,
  finding_id text not null,
  class text not null,
  type text not null,
  physical_id text not null,
  tenant_id text,
  approved_by text not null,
  removed_by text not null,
  outcome text not null check (outcome in ('begun', 'removed', 'gone', 'skipped', 'failed')),
  detail text not null
);
create index sweep_removals_by_report on sweep_removals (report_id, finding_id);
create trigger sweep_removals_append_only before update or delete on sweep_removals
  for each row execute function refuse_change();
create trigger sweep_removals_no_truncate before truncate on sweep_removals
  for each statement execute function refuse_change();

-- That a cell was ever marked: then a mark that is missing is not made anew by itself.
create table ledger_marks (
  cell text primary key,
  first_marked_at timestamptz not null default now()
);

-- Append-only: who took this ledger for the true one, and why.
create table ledger_adoptions (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  cell text not null,
  adopted_by text not null,
  reason text not null,
  verdict jsonb not null,
  mark_before text,
  mark_after text not null
);
create trigger ledger_adoptions_append_only before update or delete on ledger_adoptions
  for each row execute function refuse_change();
create trigger ledger_adoptions_no_truncate before truncate on ledger_adoptions
  for each statement execute function refuse_change();
