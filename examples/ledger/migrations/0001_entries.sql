create table entries (
  id bigint generated always as identity primary key,
  booked_at timestamptz not null default now(),
  account text not null,
  cents bigint not null
);
