-- An active tenant is repaired: everything of it is brought back to the applied blueprint.
alter table operations drop constraint operations_type_check;
alter table operations add constraint operations_type_check
  check (type in ('provision', 'update', 'suspend', 'resume', 'repair', 'deprovision')) not valid;

-- It also reads anew what its steps read outside the blueprint: templates, tenant migrations, the platform description.
alter table operations add column refreshes boolean not null default false;

-- While one is not lifted, no operation of its product (null: of any) in its cell (null: in any) is accepted.
create table freezes (
  id uuid primary key,
  product text,
  cell text,
  reason text not null,
  caller jsonb not null check (jsonb_typeof(caller) = 'object'),
  at timestamptz not null default now(),
  lifted_at timestamptz,
  lifted_by jsonb check (jsonb_typeof(lifted_by) = 'object'),
  check (product is not null or cell is not null)
);
create index freezes_in_force on freezes (at) where lifted_at is null;
