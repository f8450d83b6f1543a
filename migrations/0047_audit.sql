-- Who changed what: a row for each request that was accepted, and for what commands and workers change outside of operations. Append-only;
-- what is named as a secret is masked before it is written.
create table audit_entries (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- Id of the operation in the description of the API; of a command, what it does.
  action text not null,
  -- asked: a run was asked for it, and takes it or not.
  outcome text not null check (outcome in ('done', 'asked')),
  tenant_id uuid,
  operation_id uuid,
  caller jsonb not null check (jsonb_typeof(caller) = 'object'),
  -- What callers choose, as it was and as it is desired from then on. Null: nothing of that was changed, or it is not known.
  before jsonb,
  after jsonb,
  data jsonb not null default '{}'
);
create trigger audit_entries_append_only before update or delete on audit_entries for each row execute function refuse_change();
create trigger audit_entries_no_truncate before truncate on audit_entries for each statement execute function refuse_change();
create index audit_entries_by_time on audit_entries (at);
create index audit_entries_by_tenant on audit_entries (tenant_id, id) where tenant_id is not null;
create index audit_entries_by_principal on audit_entries ((caller ->> 'principal'), id);
create index audit_entries_by_request on audit_entries ((caller ->> 'requestId'));
create index events_by_time on events (at);

-- What earlier releases kept elsewhere.
insert into audit_entries (at, action, outcome, tenant_id, caller, before, after, data)
select at, action, 'done', tenant_id, caller, before, after, data from (
  select c.at, case c.what when 'created' then 'createWebhook' when 'changed' then 'changeWebhook' when 'rotated' then 'rotateWebhook'
      when 'deleted' then 'deleteWebhook' when 'disabled' then 'disableWebhook' else 'replayDeliveries' end as action,
    w.tenant_id, c.caller, c.data -> 'before' as before, c.data -> 'after' as after,
    c.data - 'before' - 'after' || jsonb_build_object('webhookId', c.webhook_id) as data
  from webhook_changes c join webhooks w on w.id = c.webhook_id
  union all
  select at, case type when 'created' then 'createKey' else 'revokeKey' end, null, caller, null, null,
    data || jsonb_build_object('keyId', key_id, 'by', by)
  from service_key_events
  union all
  select at, 'freeze', null, caller, null, null,
    jsonb_build_object('freezeId', id, 'product', product, 'cell', cell, 'reason', reason)
  from freezes
  union all
  select lifted_at, 'liftFreeze', null, lifted_by, null, null, jsonb_build_object('freezeId', id, 'product', product, 'cell', cell)
  from freezes where lifted_at is not null and lifted_by is not null
) earlier order by at;
