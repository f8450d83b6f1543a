import pg from 'pg';

/** One thing that exists, as the oracle sees it; shares no code with ledger or activities. */
export interface PostgresItem {
  readonly kind: string;
  readonly id: string;
  readonly detail?: string;
}

/** Everything a tenant could leave behind on the server: schemas, roles, memberships, rights on databases and role settings. */
export async function postgresInventory(url: string): Promise<PostgresItem[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'tenantry-inventory' });
  await client.connect();
  try {
    const { rows } = await client.query<{ kind: string; id: string; detail: string | null }>(inventoryQuery);
    return rows.map(({ kind, id, detail }) => (detail === null ? { kind, id } : { kind, id, detail }));
  } finally {
    await client.end();
  }
}

const inventoryQuery = `
  select 'postgres:schema' as kind, nspname::text as id, pg_get_userbyid(nspowner)::text as detail
    from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  union all
  select 'postgres:role', rolname::text, case when rolcanlogin then 'login' else 'nologin' end
    from pg_roles where rolname !~ '^pg_'
  union all
  select 'postgres:membership', r.rolname || ' in ' || g.rolname, null
    from pg_auth_members m join pg_roles r on r.oid = m.member join pg_roles g on g.oid = m.roleid
    where g.rolname !~ '^pg_'
  union all
  select 'postgres:database-right', d.datname || ': ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') || ' ' || a.privilege_type, null
    from pg_database d, aclexplode(d.datacl) a
  union all
  select 'postgres:schema-right', n.nspname || ': ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') || ' ' || a.privilege_type, null
    from pg_namespace n, aclexplode(n.nspacl) a where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select 'postgres:role-setting', r.rolname || ' ' || s.setconfig::text, null
    from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
  order by 1, 2, 3`;
