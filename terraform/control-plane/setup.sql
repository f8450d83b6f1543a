-- Run as the master of an RDS instance, again and again without harm: the login that Tenantry uses, and that owns the database.
\set ON_ERROR_STOP on
\getenv login SETUP_LOGIN
\getenv password SETUP_PASSWORD
\getenv creates_roles SETUP_CREATES_ROLES
select set_config('setup.login', :'login', false), set_config('setup.password', :'password', false), set_config('setup.creates_roles', :'creates_roles', false) \g /dev/null

do $setup$
declare
  login text := current_setting('setup.login');
begin
  if not exists (select from pg_roles where rolname = login) then
    execute format('create role %I login', login);
  end if;
  execute format('alter role %I password %L', login, current_setting('setup.password'));
  -- Tenants' roles are made by it.
  if current_setting('setup.creates_roles') = 'true' then
    execute format('alter role %I createrole', login);
  end if;
  -- Who gives a database away must be able to become its owner.
  execute format('grant %I to current_user with set true', login);
  execute format('alter database %I owner to %I', current_database(), login);
end
$setup$;

\echo 'The login' :login 'owns this database.'
