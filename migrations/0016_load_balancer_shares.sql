-- What each tenant takes of its load balancer's quotas: products differ. Null: a tenant of before, with two components.
alter table allocations add column rules integer check (rules >= 0), add column target_groups integer check (target_groups >= 0);
