import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { ownershipMarker } from '../naming.ts';
import { scramVerifier } from './scram.ts';
import type { SchemaKey } from './tenant-schema-key.ts';
import { assertAdministers, closeDatabase, joinRole, letConnect } from './tenant-database-rights.ts';
import { namingEventTrigger } from './tenant-event-triggers.ts';
import { isConcurrentUpdate } from './tenant-database-errors.ts';
import { TRANSACTION_MS } from './tenant-sessions.ts';

export interface RoleRequest {
  readonly password: string;
  readonly connectionLimit: number;
}

/** What the catalog holds under a name. */
export interface Seen {
  readonly role: { readonly comment: string | null } | undefined;
  readonly schema: { readonly comment: string | null; readonly ownerComment: string | null } | undefined;
}

export async function inspectNames(client: ClientBase, name: string): Promise<Seen> {
  const { rows } = await client.query<{
    role: string | null;
    roleComment: string | null;
    schema: string | null;
    schemaComment: string | null;
    ownerComment: string | null;
  }>(
    `select r.rolname::text as role, shobj_description(r.oid, 'pg_authid') as "roleComment",
       n.nspname::text as schema, obj_description(n.oid, 'pg_namespace') as "schemaComment",
       shobj_description(n.nspowner, 'pg_authid') as "ownerComment"
     from (select) as one left join pg_roles r on r.rolname = $1 left join pg_namespace n on n.nspname = $1`,
    [name],
  );
  const [row] = rows;
  return {
    role: row?.role ? { comment: row.roleComment } : undefined,
    schema: row?.schema ? { comment: row.schemaComment, ownerComment: row.ownerComment } : undefined,
  };
}

/** Makes or converges a tenant's login role; the caller has seen that the name is free or ours. */
export async function makeRole(
  client: ClientBase,
  key: SchemaKey,
  exists: boolean,
  request: RoleRequest,
  guard: () => Promise<void>,
): Promise<void> {
  const role = client.escapeIdentifier(key.name);
  const verifier = client.escapeLiteral(scramVerifier(request.password));
  const login = `login connection limit ${Math.trunc(request.connectionLimit)} password ${verifier}`;
  if (exists) await assertAdministers(client, key.name);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
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
    await letConnect(client, key.name);
  });
}

/** Makes a tenant's schema, owned by its role; the caller has seen that the name is free. */
export async function makeSchema(client: ClientBase, key: SchemaKey, guard: () => Promise<void>): Promise<void> {
  const name = client.escapeIdentifier(key.name);
  await namingEventTrigger(client, { code: 'ACCESS_DENIED', action: `make schema "${key.name}"` }, () =>
    retryingConcurrentUpdates(client, async () => {
      await guard();
      await client.query(`create schema ${name} authorization ${name}`);
      await client.query(`comment on schema ${name} is ${client.escapeLiteral(ownershipMarker(key.ownership))}`);
    }),
  );
}

const tries = 20;

/** Bounded in all, where the server can (17 and later): waits for locks would add up. In one message with BEGIN. */
const begin = `begin; select set_config(name, '${TRANSACTION_MS}ms', true) from pg_settings where name = 'transaction_timeout'`;

/**
 * One transaction; made again when another worker changed the same catalog row of the shared database at that moment.
 * Whatever has to hold when it commits is asked inside: the server ends a transaction whose client falls silent, so the
 * commit comes soon after the answer or not at all.
 */
export async function retryingConcurrentUpdates(client: ClientBase, fn: () => Promise<void>): Promise<void> {
  for (let left = tries; ; left -= 1) {
    try {
      await client.query(begin);
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
