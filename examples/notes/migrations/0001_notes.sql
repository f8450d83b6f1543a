-- Runs as the tenant's own role with its schema as the search path.
create table notes (
  id bigint generated always as identity primary key,
  body text not null,
  created_at timestamptz not null default now()
);
