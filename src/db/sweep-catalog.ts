import type { ClientBase } from 'pg';
import { loginPattern } from '../naming.ts';

/** A schema and role of one name in a tenants' database, as its catalog has them. */
export interface CatalogEntry {
  readonly name: string;
  readonly role: { readonly oid: number; readonly comment: string | null } | null;
  readonly schema: { readonly oid: number; readonly owner: string; readonly comment: string | null } | null;
  /** How many sessions the role has right now. */
  readonly sessions: number;
}

/**
 * Schemas and roles whose name is of our pattern (`tenant_` and 32 hexadecimal digits) or whose comment is a mark, but for login roles. Roles
 * are the whole server's: one without a schema here shows in each of its databases.
 * @param name only this one
 */
export async function listCatalog(client: ClientBase, name?: string): Promise<CatalogEntry[]> {
  const { rows } = await client.query<CatalogEntry>(
    `with roles as (
       select oid::int8, rolname::text as name, shobj_description(oid, 'pg_authid') as comment from pg_roles
     ), schemas as (
       select oid::int8, nspname::text as name, pg_get_userbyid(nspowner)::text as owner,
         obj_description(oid, 'pg_namespace') as comment from pg_namespace
     )
     select coalesce(r.name, s.name) as name,
       case when r.oid is not null then jsonb_build_object('oid', r.oid, 'comment', r.comment) end as role,
       case when s.oid is not null then jsonb_build_object('oid', s.oid, 'owner', s.owner, 'comment', s.comment) end as schema,
       (select count(*)::int from pg_stat_activity a where a.usename = r.name) as sessions
     from roles r full join schemas s on s.name = r.name
     where ($1::text is null or coalesce(r.name, s.name) = $1) and not (s.name is null and r.name ~ $2)
       and (coalesce(r.name, s.name) ~ '^tenant_[0-9a-f]{32}$' or r.comment like 'tenantry:%' or s.comment like 'tenantry:%')
     order by 1`,
    [name ?? null, loginPattern.source],
  );
  return rows;
}

/** A login role that a tenant's services use beside the owner of its schema. */
export interface LoginEntry {
  readonly name: string;
  readonly oid: number;
  readonly comment: string | null;
  /** How many sessions it has right now. */
  readonly sessions: number;
}

/** Roles whose name is of the pattern of logins; they are the whole server's. @param name only this one, or those of this schema */
export async function listLoginRoles(client: ClientBase, name?: string): Promise<LoginEntry[]> {
  const { rows } = await client.query<LoginEntry>(
    `select rolname::text as name, oid::int8::int as oid, shobj_description(oid, 'pg_authid') as comment,
       (select count(*)::int from pg_stat_activity a where a.usename = rolname) as sessions
     from pg_roles where rolname ~ $2 and ($1::text is null or rolname = $1 or starts_with(rolname, $1 || '_')) order by 1`,
    [name ?? null, loginPattern.source],
  );
  return rows;
}
