import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { ownershipMarker } from '../naming.ts';
import { scramVerifier } from './scram.ts';
import { assertAdministers, closeDatabase, joinRole } from './tenant-database-rights.ts';
import { findRoleAttributes, type RoleAttributes } from './tenant-schema-examination.ts';
import { closeRole } from './tenant-role-sessions.ts';
import type { LoginKey, SchemaKey } from './tenant-schema-key.ts';
import { retryingConcurrentUpdates, type RoleRequest } from './tenant-schemas.ts';

type Guard = () => Promise<void>;

/**
 * Makes or converges a login role whose sessions act as the owner of the tenant's schema: what they make is the owner's. The caller has
 * seen that the name is free or ours.
 */
export async function makeLogin(
  client: ClientBase,
  key: LoginKey,
  exists: boolean,
  request: RoleRequest,
  guard: Guard,
): Promise<void> {
  const [role, owner] = [client.escapeIdentifier(key.name), client.escapeIdentifier(key.owner)];
  const verifier = client.escapeLiteral(scramVerifier(request.password));
  const login = `login connection limit ${Math.trunc(request.connectionLimit)} password ${verifier}`;
  if (exists) await assertAdministers(client, key.name);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    if (exists) await client.query(`alter role ${role} inherit ${login}`);
    else
      await client.query(
        `create role ${role} nosuperuser nocreatedb nocreaterole inherit noreplication nobypassrls ${login}`,
      );
    await client.query(`comment on role ${role} is ${client.escapeLiteral(ownershipMarker(key.ownership))}`);
    await joinRole(client, key.name);
    await joinRole(client, key.owner);
    await client.query(`grant ${owner} to ${role}${await asOwner(client)}`);
    await client.query(`alter role ${role} set role = ${owner}`);
    await client.query(`alter role ${role} set search_path = ${owner}`);
    await closeDatabase(client);
    await refuseWithoutConnect(client, key);
  });
}

/** Before 16 a membership has no options: the role's own INHERIT counts, and every member may SET ROLE. */
async function asOwner(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return (rows[0]?.version ?? 0) >= 160_000 ? ' with set true, inherit true' : '';
}

/** It has CONNECT from the owner, so the database's list of rights does not grow with it. */
async function refuseWithoutConnect(client: ClientBase, { name, owner, database }: LoginKey): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    `select has_database_privilege($1, current_database(), 'connect') as may`,
    [name],
  );
  if (rows[0]?.may === true) return;
  throw new StepError(
    'ACCESS_DENIED',
    `role "${name}" may not connect to database "${database}": role "${owner}", whose rights it has, may not either`,
  );
}

/** A login role as PostgreSQL has it. */
export interface LoginAttributes extends RoleAttributes {
  /** Roles that were granted to it. */
  readonly memberOf: readonly string[];
  /** Whether it has the rights of the schema's owner. */
  readonly actsAsOwner: boolean;
  /** What its sessions begin with, such as `role=...`. */
  readonly settings: readonly string[];
}

/** Undefined when there is no such role. */
export async function findLoginAttributes(
  client: ClientBase,
  { name, owner }: LoginKey,
): Promise<LoginAttributes | undefined> {
  const attributes = await findRoleAttributes(client, name);
  if (!attributes) return undefined;
  const { rows } = await client.query<{ memberOf: string[]; actsAsOwner: boolean; settings: string[] }>(
    `select array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
         where m.member = r.oid order by 1) as "memberOf",
       coalesce(pg_has_role(r.oid, (select oid from pg_roles where rolname = $2), 'usage'), false) as "actsAsOwner",
       array(select unnest(s.setconfig) from pg_db_role_setting s where s.setrole = r.oid order by 1) as settings
     from pg_roles r where r.rolname = $1`,
    [name, owner],
  );
  return rows[0] && { ...attributes, ...rows[0] };
}

/** Takes a login role away. What it owns becomes the owner's; rights that it has by itself end with it. */
export async function dropLogin(client: ClientBase, key: LoginKey, guard: Guard): Promise<void> {
  const [role, owner] = [client.escapeIdentifier(key.name), client.escapeIdentifier(key.owner)];
  await assertAdministers(client, key.name);
  await closeRole(client, key.name, guard);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    if (await isRole(client, key.owner)) {
      await joinRole(client, key.owner);
      await client.query(`reassign owned by ${role} to ${owner}`);
    }
    await client.query(`drop owned by ${role} restrict`);
    await client.query(`drop role if exists ${role}`);
  });
}

async function isRole(client: ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query('select from pg_roles where rolname = $1', [name]);
  return rows.length > 0;
}

/** Gives the role of a schema another password; sessions stay. */
export async function changePassword(
  client: ClientBase,
  key: SchemaKey,
  password: string,
  guard: Guard,
): Promise<void> {
  const verifier = client.escapeLiteral(scramVerifier(password));
  await assertAdministers(client, key.name);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await joinRole(client, key.name);
    await client.query(`alter role ${client.escapeIdentifier(key.name)} password ${verifier}`);
  });
}
