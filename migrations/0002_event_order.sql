-- A reader that asks "what came after event n?" must never miss one. Ids from a sequence are given before the commit,
-- so a transaction that commits late could put a lower id behind a reader. Here the id is taken under a lock of the
-- tenant that lasts until the commit: within one tenant ids rise in the order of commits.
create function order_event() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('tenantry event ' || new.tenant_id::text, 0));
  new.id := nextval(pg_get_serial_sequence('events', 'id'));
  return new;
end $$;
create trigger events_in_order before insert on events for each row execute function order_event();
