-- Who asked: { principal, role, requestId, address? }. Null: not known (everything of before this migration, and what
-- Temporal's own tools ask of a run).

-- Events first, as where a tenant is accepted. Not valid, so that nobody waits while all rows are looked at.
alter table events add column caller jsonb,
  add constraint events_caller_check check (jsonb_typeof(caller) = 'object') not valid;
alter table operations add column caller jsonb,
  add constraint operations_caller_check check (jsonb_typeof(caller) = 'object') not valid;

-- What a run does by itself is done for the caller of its operation. JSON's null says that the caller is not known.
create function attribute_event() returns trigger language plpgsql as $$
begin
  if new.caller is null then
    new.caller := (select o.caller from operations o where o.id = new.operation_id);
  elsif jsonb_typeof(new.caller) = 'null' then
    new.caller := null;
  end if;
  return new;
end $$;
create trigger events_attributed before insert on events for each row execute function attribute_event();

-- These name a person already; the caller says which process it was, and in which request.
alter table sweep_reports add column requested_caller jsonb, add column approved_caller jsonb;
alter table sweep_removals add column caller jsonb;
alter table ledger_adoptions add column caller jsonb;
alter table temporal_namespaces add column caller jsonb;

create or replace function keep_sweep_report() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.approved_at is not null then
      raise exception 'sweep report % was approved: it is kept', old.id using errcode = 'insufficient_privilege';
    end if;
    return old;
  end if;
  if old.approved_at is not null
    or (to_jsonb(new) - array['approved_at', 'approved_by', 'approved', 'approved_caller'])
      is distinct from (to_jsonb(old) - array['approved_at', 'approved_by', 'approved', 'approved_caller'])
  then
    raise exception 'sweep report % may change by its one approval only', old.id using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
