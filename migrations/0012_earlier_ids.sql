-- Physical ids that a resource had before the one it has, and others of its name that were made: a removal answers for all.
alter table ledger add column earlier_ids text[] not null default '{}';
