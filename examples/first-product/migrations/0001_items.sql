-- Runs as the tenant's own role with its schema as the search path.
create table items (
  id bigint generated always as identity primary key,
  body text not null
);
