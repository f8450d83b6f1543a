import type pg from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { parseOwnershipMarker, type Ownership } from '../naming.ts';
import type { MigrationFile } from './migrate.ts';
import { listCatalog, listLoginRoles, type CatalogEntry, type LoginEntry } from './sweep-catalog.ts';
import { changePassword, dropLogin, makeLogin, findLoginAttributes, type LoginAttributes } from './tenant-logins.ts';
import type { SchemaDump } from '../contracts/dump.ts';
import { dumpSchema } from './tenant-dump/dump.ts';
import { closeRole, countSessions, endSessions } from './tenant-role-sessions.ts';
import type { Removal } from './tenant-schema-contents.ts';
import type { LoginKey, MigrationRun, SchemaKey } from './tenant-schema-key.ts';
import { refuseHeld, removeSchemaAndRole } from './tenant-schema-removal.ts';
import {
  findRoleAttributes,
  tryTenantSession,
  type RoleAttributes,
  type TenantSession,
} from './tenant-schema-examination.ts';
import { assertAdministers, closeDatabase, nameOfDatabase } from './tenant-database-rights.ts';
import { listRenamed, type Renamed } from './tenant-schema-marks.ts';
import { inspectNames, makeRole, makeSchema, type RoleRequest, type Seen } from './tenant-schemas.ts';
import { applyTenantMigrations, tenantMigrationFiles, type MigrationFolders } from './tenant-migrations.ts';
import { databaseFailure, passingThrough } from './tenant-database-errors.ts';
import { newDumpClient, openProvisionerPool } from './tenant-sessions.ts';
import type { DumpSink } from './tenant-dump/sink.ts';

type Presence = 'absent' | 'ours' | 'foreign';

/** What there is under a name: `ours` by the comment of design rule 3. */
export interface Inspection {
  readonly role: Presence;
  readonly schema: Presence;
  /** What bears this tenant's mark under another name. */
  readonly renamed: readonly Renamed[];
}

/** Awaited inside each transaction before it changes anything; what it throws comes out as it is. */
type Guard = () => Promise<void>;

/** The databases that tenants' schemas live in, as their provisioner (NOSUPERUSER CREATEROLE). Every method throws StepError. */
export interface TenantDatabases {
  /**
   * Takes from PUBLIC what every new role would have, in every database: done at a worker's start, before any tenant.
   * @throws StepError ACCESS_DENIED when PUBLIC has it all the same
   */
  closeToPublic(): Promise<void>;
  /** Makes or converges the login role. @throws StepError OWNERSHIP_CONFLICT when the name is somebody else's */
  ensureRole(key: SchemaKey, request: RoleRequest, guard: Guard): Promise<{ readonly created: boolean }>;
  /** Makes the schema, owned by the role. @throws StepError OWNERSHIP_CONFLICT when the name is somebody else's */
  ensureSchema(key: SchemaKey, guard: Guard): Promise<{ readonly created: boolean }>;
  /** The tenant migrations of a set, in order. @throws StepError MIGRATION_FAILED */
  migrationsOf(set: string): readonly Pick<MigrationFile, 'name' | 'checksum'>[];
  /** Applies what is missing of the tenant's migrations. @throws StepError MIGRATION_FAILED naming the file */
  runTenantMigrations(run: MigrationRun): Promise<{ readonly applied: string[] }>;
  inspect(key: SchemaKey): Promise<Inspection>;
  /** What the role of the name may do; undefined when there is none. */
  findRole(key: SchemaKey): Promise<RoleAttributes | undefined>;
  /** A session of the tenant's own, and which migrations of a set its schema lacks. @throws StepError MIGRATION_FAILED */
  tryTenant(key: SchemaKey, login: { readonly password: string; readonly set: string }): Promise<TenantSession>;
  /**
   * Takes away what is ours under the name, sessions included; missing is done, foreign is left alone.
   * @throws StepError STILL_PRESENT, and nothing was touched, when things of others hang on it: each is named
   */
  dropSchemaAndRole(key: SchemaKey, guard: Guard): Promise<void>;
  /**
   * Ends all sessions of the role for good, then writes the schema with all its rows to `sink`, as one snapshot shows it. Undefined:
   * there is none of this tenant under the name.
   * @throws StepError STILL_PRESENT, and nothing was touched, as {@link dropSchemaAndRole}; DUMP_FAILED when data would not be in it
   */
  dumpSchema(key: SchemaKey, sink: DumpSink, guard: Guard): Promise<SchemaDump | undefined>;
  /** Makes or converges a login role beside the schema's own. @throws StepError OWNERSHIP_CONFLICT when the name is somebody else's */
  ensureLogin(key: LoginKey, request: RoleRequest, guard: Guard): Promise<{ readonly created: boolean }>;
  inspectLogin(key: LoginKey): Promise<Pick<Inspection, 'role' | 'renamed'>>;
  /** What the login role may do; undefined when there is none. */
  findLogin(key: LoginKey): Promise<LoginAttributes | undefined>;
  /** A session of the login role, with a password. */
  tryLogin(key: LoginKey, password: string): Promise<TenantSession>;
  /** Takes a login role away that is ours; missing is done, foreign is left alone. */
  dropLogin(key: LoginKey, guard: Guard): Promise<void>;
  /** Ends the sessions of who logged in as the role. */
  endSessions(key: SchemaKey): Promise<void>;
  /** How many sessions there are of who logged in as the role. */
  countSessions(key: SchemaKey): Promise<number>;
  /** Gives the schema's own role another password; sessions stay. Does nothing where the role is not ours. */
  changePassword(key: SchemaKey, password: string, guard: Guard): Promise<void>;
  /** Login roles by their pattern, for the sweep; with `name` that one alone, or those beside the schema of that name. */
  listLogins(database: string, name?: string): Promise<LoginEntry[]>;
  /** Schemas and roles of our pattern or with a mark, for the sweep; with `name` that one alone. */
  listMarked(database: string, name?: string): Promise<CatalogEntry[]>;
  close(): Promise<void>;
}

/**
 * @param urls provisioner's connection URL per database id
 * @param migrations where products' sets of migrations are; without it none can be run
 */
export function createTenantDatabases(
  urls: Readonly<Record<string, string>>,
  migrations: MigrationFolders = {},
): TenantDatabases {
  const pools = new Map<string, pg.Pool>();
  const poolOf = (database: string): pg.Pool => {
    const made = pools.get(database) ?? openProvisionerPool(urlOf(urls, database));
    pools.set(database, made);
    return made;
  };
  const within = <T>(key: SchemaKey, what: string, fn: (client: pg.PoolClient) => Promise<T>): Promise<T> =>
    withClient(poolOf(key.database), `${what} "${key.name}" in database "${key.database}"`, fn);
  return {
    closeToPublic: async () => {
      for (const database of Object.keys(urls)) {
        await withClient(poolOf(database), `close database "${database}" to PUBLIC`, closeDatabase);
      }
    },
    ensureRole: (key, request, guard) =>
      within(key, 'make role', async (client) => {
        const seen = await inspectNames(client, key.name);
        refuseForeign(ownersOf(seen, key.ownership).role, key, 'role');
        if (!seen.role) await refuseRenamed(client, key, 'role');
        await makeRole(client, key, seen.role !== undefined, request, passingThrough(guard));
        return { created: seen.role === undefined };
      }),
    ensureSchema: (key, guard) =>
      within(key, 'make schema', async (client) => {
        const seen = await inspectNames(client, key.name);
        refuseForeign(ownersOf(seen, key.ownership).schema, key, 'schema');
        if (seen.schema) return { created: false };
        await refuseRenamed(client, key, 'schema');
        await makeSchema(client, key, passingThrough(guard));
        return { created: true };
      }),
    migrationsOf: (set) => tenantMigrationFiles(migrations, set).map(({ name, checksum }) => ({ name, checksum })),
    runTenantMigrations: async (run) => {
      const files = tenantMigrationFiles(migrations, run.set);
      const name = await within(run, 'migrate schema', nameOfDatabase);
      return applyTenantMigrations(urlOf(urls, run.database), name, run, files);
    },
    inspect: (key) =>
      within(key, 'look at', async (client) => ({
        ...ownersOf(await inspectNames(client, key.name), key.ownership),
        renamed: await listRenamed(client, key.name, key.ownership),
      })),
    findRole: (key) => within(key, 'look at role', (client) => findRoleAttributes(client, key.name)),
    tryTenant: async (key, { password, set }) => {
      const files = tenantMigrationFiles(migrations, set);
      const database = await within(key, 'look at', nameOfDatabase);
      return tryTenantSession(urlOf(urls, key.database), { role: key.name, password, database }, files);
    },
    dropSchemaAndRole: (key, guard) =>
      within(key, 'drop schema and role', async (client) => {
        const found = ownersOf(await inspectNames(client, key.name), key.ownership);
        const ours = { role: found.role === 'ours', schema: found.schema === 'ours' };
        await removeSchemaAndRole(client, { name: key.name, owner: key.ownership, ...ours }, passingThrough(guard));
      }),
    dumpSchema: async (key, sink, guard) => {
      const removal = await within(key, 'close schema', (client) => closeForDump(client, key, passingThrough(guard)));
      if (!removal) return undefined;
      const action = `dump schema "${key.name}" of database "${key.database}"`;
      return withDumpClient(urlOf(urls, key.database), action, (client) => dumpSchema(client, removal, sink));
    },
    ensureLogin: (key, request, guard) =>
      within(key, 'make login role', async (client) => {
        const { role } = ownersOf(await inspectNames(client, key.name), key.ownership);
        refuseForeign(role, key, 'role');
        if (role === 'absent') await refuseRenamed(client, key, 'role');
        await makeLogin(client, key, role === 'ours', request, passingThrough(guard));
        return { created: role !== 'ours' };
      }),
    inspectLogin: (key) =>
      within(key, 'look at', async (client) => ({
        role: ownersOf(await inspectNames(client, key.name), key.ownership).role,
        renamed: await listRenamed(client, key.name, key.ownership),
      })),
    findLogin: (key) => within(key, 'look at login role', (client) => findLoginAttributes(client, key)),
    tryLogin: async (key, password) => {
      const database = await within(key, 'look at', nameOfDatabase);
      return tryTenantSession(urlOf(urls, key.database), { role: key.name, password, database }, []);
    },
    dropLogin: (key, guard) =>
      within(key, 'drop login role', async (client) => {
        if (ownersOf(await inspectNames(client, key.name), key.ownership).role !== 'ours') return;
        await dropLogin(client, key, passingThrough(guard));
      }),
    endSessions: (key) => within(key, 'end sessions of role', (client) => endSessions(client, key.name)),
    countSessions: (key) => within(key, 'count sessions of role', (client) => countSessions(client, key.name)),
    changePassword: (key, password, guard) =>
      within(key, 'change the password of role', async (client) => {
        if (ownersOf(await inspectNames(client, key.name), key.ownership).role !== 'ours') return;
        await changePassword(client, key, password, passingThrough(guard));
      }),
    listLogins: (database, name) =>
      withClient(poolOf(database), `list login roles of database "${database}"`, (client) =>
        listLoginRoles(client, name),
      ),
    listMarked: (database, name) =>
      withClient(poolOf(database), `list schemas and roles of database "${database}"`, (client) =>
        listCatalog(client, name),
      ),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

/** Nobody writes to it any more. Undefined: there is none. */
async function closeForDump(client: pg.ClientBase, key: SchemaKey, guard: Guard): Promise<Removal | undefined> {
  const found = ownersOf(await inspectNames(client, key.name), key.ownership);
  if (found.schema !== 'ours') return undefined;
  const removal = { name: key.name, owner: key.ownership, role: found.role === 'ours', schema: true };
  if (removal.role) await assertAdministers(client, key.name);
  // What would keep it is told of before anything is done with it.
  await refuseHeld(client, removal, 'nothing was touched');
  if (removal.role) await closeRole(client, key.name, guard);
  return removal;
}

async function withDumpClient<T>(url: string, action: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = newDumpClient(url);
  try {
    await client.connect();
    return await fn(client);
  } catch (error) {
    throw databaseFailure(error, action);
  } finally {
    await client.end();
  }
}

/** The schema belongs to its tenant, who may write over its comment: one that our marked role owns is ours all the same. */
function ownersOf({ role, schema }: Seen, ownership: Ownership): Omit<Inspection, 'renamed'> {
  const ours = (comment: string | null) => {
    const mark = parseOwnershipMarker(comment ?? '');
    return mark?.installationId === ownership.installationId && mark.tenantId === ownership.tenantId;
  };
  const isOurs = schema !== undefined && (ours(schema.comment) || ours(schema.ownerComment));
  return {
    role: !role ? 'absent' : ours(role.comment) ? 'ours' : 'foreign',
    schema: !schema ? 'absent' : isOurs ? 'ours' : 'foreign',
  };
}

function refuseForeign(found: Presence, key: SchemaKey, what: 'role' | 'schema'): void {
  if (found !== 'foreign') return;
  throw new StepError(
    'OWNERSHIP_CONFLICT',
    `${what} "${key.name}" of database "${key.database}" does not bear this tenant's mark`,
  );
}

/** @throws StepError OWNERSHIP_CONFLICT: with a second one of its own the tenant would not have its data */
async function refuseRenamed(client: pg.ClientBase, key: SchemaKey, what: 'role' | 'schema'): Promise<void> {
  const renamed = await listRenamed(client, key.name, key.ownership);
  const [first] = renamed.filter((one) => one.what === what);
  if (!first) return;
  throw new StepError(
    'OWNERSHIP_CONFLICT',
    `${what} ${first.name} of database "${key.database}" bears this tenant's mark and is not called "${key.name}" any more:` +
      ` run ${first.statement}`,
  );
}

function urlOf(urls: Readonly<Record<string, string>>, database: string): string {
  const url = urls[database];
  if (url === undefined)
    throw new StepError('OUTSIDE_CELL', `this worker has no connection to a tenants' database "${database}"`);
  return url;
}

async function withClient<T>(pool: pg.Pool, action: string, fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let client: pg.PoolClient | undefined;
  try {
    client = await pool.connect();
    const answer = await fn(client);
    client.release();
    return answer;
  } catch (error) {
    // After an error the connection may be in any state.
    client?.release(true);
    throw databaseFailure(error, action);
  }
}
