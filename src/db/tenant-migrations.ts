import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { newClient } from './connections.ts';
import { codeOf, isUnavailable } from './database-errors.ts';
import { missing, readMigrations, type MigrationFile } from './migrate.ts';
import type { MigrationRun } from './tenant-schema-key.ts';
import { tenantDatabaseError } from './tenant-database-errors.ts';

const folder = fileURLToPath(new URL('../../tenant-migrations', import.meta.url));

/**
 * The migrations of a set, in order. @throws StepError MIGRATION_FAILED when there is no such set or a file is misnamed
 */
export function tenantMigrationFiles(set: string): MigrationFile[] {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(set) || !existsSync(`${folder}/${set}`))
    throw new StepError('MIGRATION_FAILED', `there is no set of tenant migrations "${set}"`);
  return orMigrationFailed(`read set "${set}"`, () => readMigrations(`${folder}/${set}`));
}

/** Applies what is missing in a session of the tenant's own role, a transaction for each file. */
export async function applyTenantMigrations(provisionerUrl: string, run: MigrationRun): Promise<{ applied: string[] }> {
  const files = tenantMigrationFiles(run.set);
  const action = `migrate schema "${run.name}" of database "${run.database}"`;
  const client = newClient({
    connectionString: tenantUrl(provisionerUrl, run),
    application_name: 'tenantry-migrations',
    connectionTimeoutMillis: 5_000,
    lock_timeout: 10_000,
    keepAlive: true,
  });
  try {
    await client.connect();
    const applied: string[] = [];
    const left = await leftToApply(client, run, files);
    for (const file of left) {
      await run.guard();
      await apply(client, run, file);
      applied.push(file.name);
    }
    return { applied };
  } catch (error) {
    throw tenantDatabaseError(error, action);
  } finally {
    await client.end().catch(() => undefined);
  }
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
    await client.query('begin');
    await client.query(file.sql);
    await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [file.name, file.checksum]);
    await client.query('commit');
  } catch (error) {
    // Another session is in the way, or the server went: the same file may work the next time.
    if (isUnavailable(error)) throw tenantDatabaseError(error, `apply ${run.set}/${file.name}`);
    throw new StepError('MIGRATION_FAILED', `tenant migration ${run.set}/${file.name} failed`, {
      detail: `${run.set}/${file.name}: ${error instanceof Error ? error.message : String(error)} (${codeOf(error) ?? 'no SQLSTATE'})`,
      cause: error,
    });
  }
}

function orMigrationFailed<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StepError('MIGRATION_FAILED', `could not ${what}: ${message}`, { detail: message, cause });
  }
}

/** The same server and database, its TLS settings too, as the tenant's role. */
function tenantUrl(provisionerUrl: string, run: MigrationRun): string {
  const url = new URL(provisionerUrl);
  url.username = encodeURIComponent(run.name);
  url.password = encodeURIComponent(run.password);
  return url.toString();
}
