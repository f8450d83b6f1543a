-- made_at is when the thing that is there was made: a change in its place keeps it. A step may go back to a thing that it had made before
-- (a revision of a task definition): of those that it has left, when each was made.
alter table ledger add column earlier_made_at jsonb not null default '{}';
