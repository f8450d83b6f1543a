-- Who made a tenant, in the words of whoever authenticated it. Null: it was made before callers were authenticated.
alter table tenants add column created_by text;
create index tenants_by_creator on tenants (created_by, created_at desc) where created_by is not null;

-- Requests that were refused for who asked. Not every one: a flood is counted, and leaves a row now and then.
create table access_refusals (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  code text not null,
  -- Of a credential that was not taken.
  reason text,
  -- Null: nobody is known to have asked.
  principal text,
  role text,
  operation text,
  method text not null,
  tenant_id uuid,
  address text not null,
  request_id text not null,
  -- How many of the same caller, or address, have no row of their own since the last one that has.
  unrecorded int not null default 0
);

-- Append-only, but for what is older than 90 days.
create function keep_refusal() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and old.at < now() - interval '90 days' then
    return old;
  end if;
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger access_refusals_append_only before update or delete on access_refusals
  for each row execute function keep_refusal();
create trigger access_refusals_no_truncate before truncate on access_refusals
  for each statement execute function refuse_change();
create index access_refusals_by_time on access_refusals (at);
