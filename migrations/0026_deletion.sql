-- A deletion may wait: until then nothing is removed, and a cancel brings the tenant back to the status of before.
alter table operations add column grace_until timestamptz, add column status_before text;
insert into tenant_status_transitions (from_status, to_status)
values ('deleting', 'active'), ('deleting', 'suspended'), ('deleting', 'failed');
