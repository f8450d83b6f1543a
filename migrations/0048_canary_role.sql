-- A role that makes tenants and removes those that it made (docs/canary.md). Both tables are small: few keys, and tickets of the last 30 seconds.
alter table service_keys drop constraint service_keys_role_check,
  add constraint service_keys_role_check check (role in ('platform-admin', 'platform-operator', 'tenant-admin', 'canary', 'self-service'));
alter table stream_tickets drop constraint stream_tickets_role_check,
  add constraint stream_tickets_role_check check (role in ('platform-admin', 'platform-operator', 'tenant-admin', 'canary', 'self-service'));
