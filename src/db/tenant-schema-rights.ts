import type { ClientBase } from 'pg';
import { contents, valuesOf, type Removal } from './tenant-schema-contents.ts';
import type { Holder } from './tenant-schema-holders.ts';

/**
 * What others gave the role, in this database and on what the whole server shares, or what it gave on to others. DROP OWNED
 * revokes only what the provisioner may revoke, and fails at the first other one, when the data is gone. Default privileges
 * are none: it takes them away whoever set them.
 */
export async function listRights(client: ClientBase, removal: Removal): Promise<Holder[]> {
  if (!removal.role) return [];
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const version = rows[0]?.version ?? 0;
  const rights = await listGrants(client, removal, version);
  return [...rights.map((right) => rightHolder(right)), ...(await listGivenMemberships(client, removal, version))];
}

/** Names come as SQL: quoted where needed. */
interface Right {
  /** What GRANT calls it, with its name: `TABLE shop.rates`. */
  readonly on: string;
  readonly role: string;
  readonly grantor: string;
  readonly isByOwner: boolean;
  readonly privileges: string;
  /** Who has it from the tenant; null when nobody. */
  readonly givenTo: string | null;
}

function rightHolder({ on, role, grantor, isByOwner, privileges, givenTo }: Right): Holder {
  const passedOn = givenTo === null ? '' : `, which it gave on to ${givenTo}`;
  const revoke = `REVOKE ALL ON ${on} FROM ${role}${givenTo === null ? '' : ' CASCADE'}`;
  return {
    what: `right of role ${role} on ${on} (${privileges}), given by ${grantor}${passedOn}`,
    // Even a superuser's REVOKE counts as one of the owner.
    statement: isByOwner ? revoke : `SET ROLE ${grantor}; ${revoke}; RESET ROLE`,
  };
}

/** Each catalog that has lists of rights: its object's oid, owner, list, and the word of GRANT. */
const lists = `
    select 'pg_class'::regclass as classid, oid, relowner as owner, relacl as acl,
        case relkind when 'S' then 'SEQUENCE' else 'TABLE' end as word from pg_class
    union all select 'pg_class'::regclass, c.oid, relowner, attacl, 'TABLE' from pg_class c join pg_attribute on attrelid = c.oid
    union all select 'pg_proc'::regclass, oid, proowner, proacl, 'ROUTINE' from pg_proc
    union all select 'pg_type'::regclass, oid, typowner, typacl, case typtype when 'd' then 'DOMAIN' else 'TYPE' end from pg_type
    union all select 'pg_namespace'::regclass, oid, nspowner, nspacl, 'SCHEMA' from pg_namespace
    union all select 'pg_language'::regclass, oid, lanowner, lanacl, 'LANGUAGE' from pg_language
    union all select 'pg_foreign_server'::regclass, oid, srvowner, srvacl, 'FOREIGN SERVER' from pg_foreign_server
    union all select 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl, 'FOREIGN DATA WRAPPER' from pg_foreign_data_wrapper
    union all select 'pg_largeobject'::regclass, oid, lomowner, lomacl, 'LARGE OBJECT' from pg_largeobject_metadata
    union all select 'pg_database'::regclass, oid, datdba, datacl, 'DATABASE' from pg_database
    union all select 'pg_tablespace'::regclass, oid, spcowner, spcacl, 'TABLESPACE' from pg_tablespace`;

/** Since 15. They belong to the superuser that the server was made with. */
const parameterList = `
    union all select 'pg_parameter_acl'::regclass, oid, 10::oid, paracl, 'PARAMETER' from pg_parameter_acl`;

/**
 * PostgreSQL revokes as the object's owner where the session has the owner's rights, else as the session's role; of what
 * another one gave it revokes nothing.
 */
async function listGrants(client: ClientBase, removal: Removal, version: number): Promise<Right[]> {
  const { rows } = await client.query<Right>(
    `${contents},
     held as (
       select distinct s.classid, s.objid from pg_shdepend s join tenant on s.refclassid = 'pg_authid'::regclass and s.refobjid = tenant.oid
        where s.deptype = 'a' and s.dbid in (0, (select oid from pg_database where datname = current_database()))
          and not exists (select from parts q where q.classid = s.classid and q.objid = s.objid)
          and not (s.classid = 'pg_namespace'::regclass and s.objid in (select oid from schema))
     ),
     lists as (${lists}${version >= 150_000 ? parameterList : ''}),
     rights as (
       select l.classid, l.oid, l.owner, l.word, a.grantor, a.privilege_type,
         (select string_agg(distinct case b.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(b.grantee)) end, ', ')
            from aclexplode(l.acl) b where b.grantor = tenant.oid and b.grantee <> tenant.oid) as "givenTo"
         from held h join lists l on l.classid = h.classid and l.oid = h.objid
         cross join tenant cross join lateral aclexplode(l.acl) a
        where a.grantee = tenant.oid
     )
     select format('%s %s', r.word, (pg_identify_object(r.classid, r.oid, 0)).identity) as on, quote_ident($1) as role,
       quote_ident(pg_get_userbyid(r.grantor)) as grantor, r.grantor = r.owner as "isByOwner",
       string_agg(distinct r.privilege_type, ', ') as privileges, string_agg(distinct r."givenTo", ', ') as "givenTo"
       from rights r
      group by r.classid, r.oid, r.word, r.owner, r.grantor
     having bool_or(r."givenTo" is not null)
         or r.grantor <> case when pg_has_role(current_user, r.owner, 'USAGE') then r.owner
                              else (select oid from pg_roles where rolname = current_user) end
      order by 1, 3`,
    valuesOf(removal),
  );
  return rows;
}

/** DROP OWNED takes from others the memberships that the role gave them; a server before 16 keeps no account of it. */
async function listGivenMemberships(client: ClientBase, { name }: Removal, version: number): Promise<Holder[]> {
  if (version < 160_000) return [];
  const { rows } = await client.query<{ role: string; member: string; group: string }>(
    `select quote_ident($1) as role, quote_ident(pg_get_userbyid(m.member)) as member, quote_ident(pg_get_userbyid(m.roleid)) as group
       from pg_auth_members m join pg_roles r on r.oid = m.grantor
      where r.rolname = $1 and r.oid not in (m.member, m.roleid) order by 2, 3`,
    [name],
  );
  return rows.map(({ role, member, group }) => ({
    what: `membership of role ${member} in role ${group}, given by ${role}`,
    statement: `REVOKE ${group} FROM ${member} GRANTED BY ${role}`,
  }));
}
