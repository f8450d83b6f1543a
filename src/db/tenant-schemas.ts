import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { ownershipMarker } from '../naming.ts';
import { scramVerifier } from './scram.ts';
import type { SchemaKey } from './tenant-schema-key.ts';
import { isConcurrentUpdate } from './tenant-database-errors.ts';

export interface RoleRequest {
  readonly password: string;
  readonly connectionLimit: number;
}

/** What the catalogue holds under a name. */
export interface Seen {
  readonly role: { readonly name: string; readonly comment: string | null } | undefined;
  readonly schema: { readonly owner: string; readonly comment: string | null } | undefined;
}

export async function inspectNames(client: ClientBase, name: string): Promise<Seen> {
  const { rows } = await client.query<{
    role: string | null;
    roleComment: string | null;
    owner: string | null;
    schemaComment: string | null;
  }>(
    `select r.rolname::text as role, shobj_description(r.oid, 'pg_authid') as "roleComment",
       pg_get_userbyid(n.nspowner)::text as owner, obj_description(n.oid, 'pg_namespace') as "schemaComment"
     from (select) as one left join pg_roles r on r.rolname = $1 left join pg_namespace n on n.nspname = $1`,
    [name],
  );
  const [row] = rows;
  return {
    role: row?.role ? { name: row.role, comment: row.roleComment } : undefined,
    schema: row?.owner ? { owner: row.owner, comment: row.schemaComment } : undefined,
  };
}

/** Makes or converges a tenant's login role; the caller has seen that the name is free or ours. */
export async function makeRole(
  client: ClientBase,
  key: SchemaKey,
  exists: boolean,
  request: RoleRequest,
): Promise<void> {
  const role = client.escapeIdentifier(key.name);
  const verifier = client.escapeLiteral(scramVerifier(request.password));
  const login = `login connection limit ${Math.trunc(request.connectionLimit)} password ${verifier}`;
  await retryingConcurrentUpdates(client, async () => {
    // With its mark from the first moment on: a role without one would be nobody's.
    if (exists) await client.query(`alter role ${role} ${login}`);
    else
      await client.query(
        `create role ${role} nosuperuser nocreatedb nocreaterole noinherit noreplication nobypassrls ${login}`,
      );
    await client.query(`comment on role ${role} is ${client.escapeLiteral(ownershipMarker(key.ownership))}`);
    await joinRole(client, key.name);
    await client.query(`alter role ${role} set search_path = ${role}`);
    await closeDatabase(client);
    await client.query(`grant connect on database ${await databaseName(client)} to ${role}`);
  });
}

/** Makes a tenant's schema, owned by its role; the caller has seen that the name is free. */
export async function makeSchema(client: ClientBase, key: SchemaKey): Promise<void> {
  const name = client.escapeIdentifier(key.name);
  await retryingConcurrentUpdates(client, async () => {
    await client.query(`create schema ${name} authorization ${name}`);
    await client.query(`comment on schema ${name} is ${client.escapeLiteral(ownershipMarker(key.ownership))}`);
  });
}

/**
 * From PostgreSQL 16 on, who makes a role may administer it, but neither become it nor act with its rights before
 * granting itself that; CREATE SCHEMA ... AUTHORIZATION, DROP OWNED and pg_terminate_backend need it.
 */
export async function joinRole(client: ClientBase, name: string): Promise<void> {
  const role = client.escapeIdentifier(name);
  const { rows } = await client.query<{ version: number; member: boolean }>(
    `select current_setting('server_version_num')::int as version, pg_has_role(current_user, $1, 'usage') as member`,
    [name],
  );
  const [row] = rows;
  if (row?.member === true) return;
  const options = (row?.version ?? 0) >= 160_000 ? ' with set true, inherit true' : '';
  await client.query(`grant ${role} to current_user${options}`);
}

/** Takes from PUBLIC what every new role would have in the database that tenants share. */
export async function closeDatabase(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ open: boolean; publicSchema: boolean }>(
    `select has_database_privilege('public', current_database(), 'connect')
       or has_database_privilege('public', current_database(), 'temporary') as open,
     coalesce((select has_schema_privilege('public', oid, 'usage') or has_schema_privilege('public', oid, 'create')
       from pg_namespace where nspname = 'public'), false) as "publicSchema"`,
  );
  if (rows[0]?.open === true)
    await client.query(`revoke connect, temporary on database ${await databaseName(client)} from public`);
  if (rows[0]?.publicSchema === true) await client.query('revoke all on schema public from public');
}

async function databaseName(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name');
  return rows[0]?.name ?? '';
}

const tries = 20;

/** One transaction; made again when another worker changed the same catalogue row of the shared database at that moment. */
export async function retryingConcurrentUpdates(client: ClientBase, fn: () => Promise<void>): Promise<void> {
  for (let left = tries; ; left -= 1) {
    try {
      await client.query('begin');
      await fn();
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      if (left <= 1 || !isConcurrentUpdate(error)) throw error;
      await sleep(10 + Math.random() * 90);
    }
  }
}
