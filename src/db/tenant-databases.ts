import type pg from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { parseOwnershipMarker, type Ownership } from '../naming.ts';
import { newPool } from './connections.ts';
import { listCatalogue, type CatalogueEntry } from './sweep-catalogue.ts';
import type { MigrationRun, SchemaKey } from './tenant-schema-key.ts';
import { removeSchemaAndRole } from './tenant-schema-removal.ts';
import { closeDatabase, inspectNames, makeRole, makeSchema, type RoleRequest, type Seen } from './tenant-schemas.ts';
import { applyTenantMigrations } from './tenant-migrations.ts';
import { tenantDatabaseError } from './tenant-database-errors.ts';

/** What there is under a name: `ours` by the comment of design rule 3. */
export interface Inspection {
  readonly role: 'absent' | 'ours' | 'foreign';
  readonly schema: 'absent' | 'ours' | 'foreign';
}

/** The databases that tenants' schemas live in, as their provisioner (NOSUPERUSER CREATEROLE). Every method throws StepError. */
export interface TenantDatabases {
  /** Takes from PUBLIC what every new role would have, in every database: done at a worker's start, before any tenant. */
  closeToPublic(): Promise<void>;
  /** Makes or converges the login role. @throws StepError OWNERSHIP_CONFLICT when the name is somebody else's */
  ensureRole(key: SchemaKey, request: RoleRequest): Promise<void>;
  /** Makes the schema, owned by the role. @throws StepError OWNERSHIP_CONFLICT when the name is somebody else's */
  ensureSchema(key: SchemaKey): Promise<void>;
  /** Applies what is missing of the tenant's migrations. @throws StepError MIGRATION_FAILED naming the file */
  runTenantMigrations(run: MigrationRun): Promise<{ readonly applied: string[] }>;
  inspect(key: SchemaKey): Promise<Inspection>;
  /** Takes away what is ours under the name, sessions included; missing is done, foreign is left alone. */
  dropSchemaAndRole(key: SchemaKey): Promise<void>;
  /** Schemas and roles of our pattern or with a mark, for the sweep; with `name` that one alone. */
  listMarked(database: string, name?: string): Promise<CatalogueEntry[]>;
  close(): Promise<void>;
}

const lockTimeoutMs = 5_000;

/** @param urls provisioner's connection URL per database id */
export function createTenantDatabases(urls: Readonly<Record<string, string>>): TenantDatabases {
  const pools = new Map<string, pg.Pool>();
  const poolOf = (database: string): pg.Pool => {
    const made = pools.get(database) ?? openPool(urlOf(urls, database));
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
    ensureRole: (key, request) =>
      within(key, 'make role', async (client) => {
        const seen = await inspectNames(client, key.name);
        refuseForeign(judge(seen, key.ownership).role, key, 'role');
        await makeRole(client, key, seen.role !== undefined, request);
      }),
    ensureSchema: (key) =>
      within(key, 'make schema', async (client) => {
        const seen = await inspectNames(client, key.name);
        refuseForeign(judge(seen, key.ownership).schema, key, 'schema');
        if (!seen.schema) await makeSchema(client, key);
      }),
    runTenantMigrations: (run) => applyTenantMigrations(urlOf(urls, run.database), run),
    inspect: (key) =>
      within(key, 'look at', async (client) => judge(await inspectNames(client, key.name), key.ownership)),
    dropSchemaAndRole: (key) =>
      within(key, 'drop schema and role', async (client) => {
        const found = judge(await inspectNames(client, key.name), key.ownership);
        await removeSchemaAndRole(client, key.name, { role: found.role === 'ours', schema: found.schema === 'ours' });
      }),
    listMarked: (database, name) =>
      withClient(poolOf(database), `list schemas and roles of database "${database}"`, (client) =>
        listCatalogue(client, name),
      ),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

/** The schema belongs to its tenant, who may write over its comment: one that our marked role owns is ours all the same. */
function judge(seen: Seen, ownership: Ownership): Inspection {
  const ours = (comment: string | null) => {
    const mark = parseOwnershipMarker(comment ?? '');
    return mark?.installationId === ownership.installationId && mark.tenantId === ownership.tenantId;
  };
  const role = !seen.role ? 'absent' : ours(seen.role.comment) ? 'ours' : 'foreign';
  const ownsSchema = role === 'ours' && seen.schema?.owner === seen.role?.name;
  const schema = !seen.schema ? 'absent' : ownsSchema || ours(seen.schema.comment) ? 'ours' : 'foreign';
  return { role, schema };
}

function refuseForeign(found: 'absent' | 'ours' | 'foreign', key: SchemaKey, what: 'role' | 'schema'): void {
  if (found !== 'foreign') return;
  throw new StepError(
    'OWNERSHIP_CONFLICT',
    `${what} "${key.name}" of database "${key.database}" does not bear this tenant's mark`,
  );
}

function urlOf(urls: Readonly<Record<string, string>>, database: string): string {
  const url = urls[database];
  if (url === undefined)
    throw new StepError('OUTSIDE_CELL', `this worker has no connection to a tenants' database "${database}"`);
  return url;
}

function openPool(url: string): pg.Pool {
  return newPool({
    connectionString: url,
    max: 4,
    application_name: 'tenantry-provisioner',
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    lock_timeout: lockTimeoutMs,
    statement_timeout: 5 * 60_000,
    query_timeout: 5 * 60_000 + 5_000,
  });
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
    throw tenantDatabaseError(error, action);
  }
}
