// Catalog queries, each with columns kind, id, detail (json), marker (a comment that may tell an owner), subjects
// (roles and schemas that the thing hangs on, whose owner is its own when it has no marker).

const own = (schema: string) => `${schema} !~ '^pg_' and ${schema} <> 'information_schema'`;
const nobody = `null::text`;
const grantee = `coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC')`;
const privileges = `string_agg(a.privilege_type || case when a.is_grantable then ' with grant option' else '' end, ', ' order by a.privilege_type)`;

interface RightsOf {
  readonly kind: string;
  readonly name: string;
  readonly from: string;
  /** Rights as they are; what a new object has by default is said by `acldefault` where others than the owner have any. */
  readonly acl: string;
  readonly owner: string;
  readonly schema?: string;
}

/** One row for each grantee of each object, with all its rights there. An owner's rights on its own go without saying. */
const rightsOf = ({ kind, name, from, acl, owner, schema = nobody }: RightsOf) => `
  select 'postgres:${kind}-right', ${name} || ': ' || ${grantee}, json_build_object('may', ${privileges}), ${nobody},
         array[${grantee}, ${schema}]
    from ${from}, aclexplode(${acl}) a
   where a.grantee <> ${owner} and ${schema === nobody ? 'true' : own(schema)}
   group by ${name}, a.grantee, ${schema}`;

const databases = `
  select 'postgres:database' as kind, d.datname::text as id,
         json_build_object('owner', pg_get_userbyid(d.datdba), 'connectionLimit', nullif(d.datconnlimit, -1)) as detail,
         shobj_description(d.oid, 'pg_database') as marker, array[]::text[] as subjects
    from pg_database d`;

const schemas = `
  select 'postgres:schema', n.nspname::text,
         json_build_object('owner', pg_get_userbyid(n.nspowner),
           'relations', (select count(*) from pg_class c where c.relnamespace = n.oid and c.relkind in ('r','p','v','m','S','f')),
           'functions', (select count(*) from pg_proc p where p.pronamespace = n.oid)),
         obj_description(n.oid, 'pg_namespace'), array[pg_get_userbyid(n.nspowner)::text]
    from pg_namespace n where ${own('n.nspname')}`;

// What a role owns in any database, by the dependencies that the whole server keeps. A login beside a tenant's own role is told by its name.
const roles = `
  select case when r.rolname ~ '^tenant_[0-9a-f]{32}_[0-9]+$' then 'postgres:login' else 'postgres:role' end, r.rolname::text,
         json_build_object('login', r.rolcanlogin, 'superuser', nullif(r.rolsuper, false), 'createRole', nullif(r.rolcreaterole, false),
           'createDatabase', nullif(r.rolcreatedb, false), 'bypassRls', nullif(r.rolbypassrls, false),
           'connectionLimit', nullif(r.rolconnlimit, -1), 'validUntil', r.rolvaliduntil,
           'owns', (select string_agg(format('%s in %s', o.n, coalesce(d.datname, 'the server')), ', ' order by d.datname)
                      from (select s.dbid, count(*) as n from pg_shdepend s
                             where s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid and s.deptype = 'o'
                             group by s.dbid) o
                      left join pg_database d on d.oid = o.dbid)),
         shobj_description(r.oid, 'pg_authid'), array[]::text[]
    from pg_roles r where r.rolname !~ '^pg_'`;

// The options of a membership are columns since PostgreSQL 16 only.
const memberships = `
  select 'postgres:membership', format('%s in %s by %s', r.rolname, g.rolname, pg_get_userbyid(m.grantor)),
         json_build_object('admin', nullif(m.admin_option, false), 'inherit', to_jsonb(m) -> 'inherit_option', 'set', to_jsonb(m) -> 'set_option'),
         ${nobody}, array[r.rolname::text, g.rolname::text]
    from pg_auth_members m join pg_roles r on r.oid = m.member join pg_roles g on g.oid = m.roleid
   where r.rolname !~ '^pg_'`;

const roleSettings = `
  select 'postgres:role-setting',
         format('%s%s %s', coalesce(r.rolname, 'every role'), ' in ' || d.datname, split_part(c, '=', 1)),
         json_build_object('value', substr(c, strpos(c, '=') + 1)), ${nobody}, array[r.rolname::text]
    from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase,
         unnest(s.setconfig) c`;

const objectTypes = `case f.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else f.defaclobjtype::text end`;

const defaultPrivileges = `
  select 'postgres:default-right',
         format('%s that %s makes%s: %s', ${objectTypes}, pg_get_userbyid(f.defaclrole), ' in ' || n.nspname, ${grantee}),
         json_build_object('may', ${privileges}), ${nobody},
         array[${grantee}, pg_get_userbyid(f.defaclrole)::text, n.nspname::text]
    from pg_default_acl f left join pg_namespace n on n.oid = f.defaclnamespace, aclexplode(f.defaclacl) a
   group by f.defaclobjtype, f.defaclrole, n.nspname, a.grantee`;

const others = [
  `select 'postgres:extension', e.extname::text, json_build_object('version', e.extversion), ${nobody}, array[]::text[] from pg_extension e`,
  `select 'postgres:publication', p.pubname::text, json_build_object('owner', pg_get_userbyid(p.pubowner)), ${nobody}, array[pg_get_userbyid(p.pubowner)::text] from pg_publication p`,
  `select 'postgres:event-trigger', t.evtname::text, json_build_object('owner', pg_get_userbyid(t.evtowner)), ${nobody}, array[]::text[] from pg_event_trigger t`,
  `select 'postgres:foreign-server', s.srvname::text, json_build_object('owner', pg_get_userbyid(s.srvowner)), ${nobody}, array[pg_get_userbyid(s.srvowner)::text] from pg_foreign_server s`,
  `select 'postgres:prepared-transaction', p.gid, json_build_object('owner', p.owner, 'database', p.database), ${nobody}, array[p.owner::text] from pg_prepared_xacts p`,
  `select 'postgres:large-objects', pg_get_userbyid(l.lomowner)::text, json_build_object('count', count(*)), ${nobody}, array[pg_get_userbyid(l.lomowner)::text] from pg_largeobject_metadata l group by l.lomowner`,
];

const inSchema = 'join pg_namespace n on n.oid =';

const objectRights = [
  {
    kind: 'database',
    name: 'd.datname',
    from: 'pg_database d',
    acl: `coalesce(d.datacl, acldefault('d', d.datdba))`,
    owner: 'd.datdba',
  },
  {
    kind: 'schema',
    name: 'n.nspname',
    from: 'pg_namespace n',
    acl: 'n.nspacl',
    owner: 'n.nspowner',
    schema: 'n.nspname::text',
  },
  {
    kind: 'table',
    name: `n.nspname || '.' || c.relname`,
    from: `pg_class c ${inSchema} c.relnamespace`,
    acl: 'c.relacl',
    owner: 'c.relowner',
    schema: 'n.nspname::text',
  },
  {
    kind: 'column',
    name: `n.nspname || '.' || c.relname || '.' || t.attname`,
    from: `pg_attribute t join pg_class c on c.oid = t.attrelid ${inSchema} c.relnamespace`,
    acl: 't.attacl',
    owner: 'c.relowner',
    schema: 'n.nspname::text',
  },
  {
    kind: 'function',
    name: `n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'`,
    from: `pg_proc p ${inSchema} p.pronamespace`,
    acl: `coalesce(p.proacl, acldefault('f', p.proowner))`,
    owner: 'p.proowner',
    schema: 'n.nspname::text',
  },
  {
    kind: 'type',
    name: `n.nspname || '.' || t.typname`,
    from: `pg_type t ${inSchema} t.typnamespace`,
    acl: 't.typacl',
    owner: 't.typowner',
    schema: 'n.nspname::text',
  },
  { kind: 'language', name: 'l.lanname', from: 'pg_language l', acl: 'l.lanacl', owner: 'l.lanowner' },
].map(rightsOf);

/** Everything at once, so that it is one moment of the catalog. */
export const inventoryQuery = [
  databases,
  schemas,
  roles,
  memberships,
  roleSettings,
  defaultPrivileges,
  ...objectRights,
  ...others,
].join('\n  union all ');
