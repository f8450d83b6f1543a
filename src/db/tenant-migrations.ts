import { existsSync } from 'node:fs';
import type pg from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { codeOf, isUnavailable } from './database-errors.ts';
import { missing, readMigrations, readStringsAsStandard, type MigrationFile } from './migrate.ts';
import type { MigrationRun } from './tenant-schema-key.ts';
import { databaseFailure, isGuardFailure, passingThrough, tenantDatabaseError } from './tenant-database-errors.ts';
import { newTenantClient } from './tenant-sessions.ts';
import { beginIdentified, type TransactionIdentity } from './unclear-commits.ts';

/** Folders of the sets of migrations that products bring, by the product's name. */
export type MigrationFolders = Readonly<Record<string, string>>;

/**
 * The migrations of a set, in order.
 * @throws StepError MIGRATION_FAILED when there is no such set, or a file is misnamed or begins or ends a transaction
 */
export function tenantMigrationFiles(folders: MigrationFolders, set: string): MigrationFile[] {
  const folder = Object.hasOwn(folders, set) ? folders[set] : undefined;
  if (folder === undefined) throw new StepError('MIGRATION_FAILED', `there is no set of tenant migrations "${set}"`);
  if (!existsSync(folder))
    throw new StepError('MIGRATION_FAILED', `the folder of the tenant migrations "${set}", ${folder}, does not exist`);
  return orMigrationFailed(`read set "${set}"`, () => readMigrations(folder));
}

/**
 * Applies what is missing in a session of the tenant's own role, a transaction for each file.
 * @param databaseName the database that the provisioner's own sessions are in
 */
export async function applyTenantMigrations(
  provisionerUrl: string,
  databaseName: string,
  run: MigrationRun,
  files: readonly MigrationFile[],
): Promise<{ applied: string[] }> {
  const action = `migrate schema "${run.name}" of database "${run.database}"`;
  const guard = passingThrough(run.guard);
  const { name: role, password } = run;
  const client = newTenantClient(provisionerUrl, { role, password, database: databaseName });
  try {
    await client.connect();
    await refuseOtherSession(client, role, databaseName);
    const applied: string[] = [];
    const left = await leftToApply(client, run, files);
    for (const file of left) {
      await apply(client, { ...run, guard }, file);
      applied.push(file.name);
    }
    return { applied };
  } catch (error) {
    throw databaseFailure(error, action);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A migration may do all that its session may: a pooler or a setting of the role that makes it another's is seen here. */
async function refuseOtherSession(client: pg.Client, role: string, database: string): Promise<void> {
  const { rows } = await client.query<{ user: string; session: string; database: string }>(
    'select current_user::text as user, session_user::text as session, current_database()::text as database',
  );
  const [is] = rows;
  if (is?.user === role && is.session === role && is.database === database) return;
  throw new StepError(
    'MIGRATION_FAILED',
    `no migration was run: a session for role "${role}" in database "${database}" is one of role "${is?.user ?? '?'}"` +
      ` (login "${is?.session ?? '?'}") in database "${is?.database ?? '?'}". Point the worker's URL of the tenants' database` +
      ' at PostgreSQL itself, or at a pooler that keeps user and database',
  );
}

async function leftToApply(
  client: pg.Client,
  run: MigrationRun,
  files: readonly MigrationFile[],
): Promise<MigrationFile[]> {
  await client.query(`set search_path = ${client.escapeIdentifier(run.name)}`);
  await client.query(`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  );
  return orMigrationFailed(`compare set "${run.set}" with schema "${run.name}"`, () => missing(files, rows));
}

async function apply(client: pg.Client, run: MigrationRun, file: MigrationFile): Promise<void> {
  try {
    const transaction = await beginIdentified(client);
    await client.query(readStringsAsStandard);
    await run.guard();
    await client.query(file.sql);
    await recordMigration(client, transaction, file);
    await client.query('commit');
  } catch (error) {
    if (isGuardFailure(error)) throw error;
    // Another session is in the way, or the server went: the same file may work the next time.
    if (isUnavailable(error)) throw tenantDatabaseError(error, `apply ${run.set}/${file.name}`);
    throw new StepError('MIGRATION_FAILED', `tenant migration ${run.set}/${file.name} failed`, {
      detail: `${run.set}/${file.name}: ${error instanceof Error ? error.message : String(error)} (${codeOf(error) ?? 'no SQLSTATE'})`,
      cause: error,
    });
  }
}

/** @throws Error when the session is not in that transaction any more: what the file did may be committed */
export async function recordMigration(
  client: pg.ClientBase,
  { xid }: TransactionIdentity,
  { name, checksum }: Pick<MigrationFile, 'name' | 'checksum'>,
): Promise<void> {
  const { rowCount } = await client.query(
    'insert into schema_migrations (name, checksum) select $1, $2 where pg_current_xact_id() = $3::xid8',
    [name, checksum, xid],
  );
  if (rowCount !== 1)
    throw new Error(
      'the file ended the transaction that it ran in; it is not recorded, but what it did may be committed',
    );
}

function orMigrationFailed<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StepError('MIGRATION_FAILED', `could not ${what}: ${message}`, { detail: message, cause });
  }
}
