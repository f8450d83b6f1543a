import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { codeOf } from './database-errors.ts';
import { missing, type MigrationFile } from './migrate.ts';
import { databaseFailure } from './tenant-database-errors.ts';
import { newTenantClient, type TenantLogin } from './tenant-sessions.ts';

/** What a tenant's login role may do. */
export interface RoleAttributes {
  readonly canLogin: boolean;
  /** -1: no limit. */
  readonly connectionLimit: number;
  /** Of superuser, createdb, createrole, replication and bypassrls those that it has. */
  readonly privileges: readonly string[];
}

/** Undefined when there is no such role. */
export async function findRoleAttributes(client: ClientBase, name: string): Promise<RoleAttributes | undefined> {
  const { rows } = await client.query<{ canLogin: boolean; connectionLimit: number; privileges: string[] }>(
    `select rolcanlogin as "canLogin", rolconnlimit as "connectionLimit", array_remove(array[
       case when rolsuper then 'superuser' end, case when rolcreatedb then 'createdb' end,
       case when rolcreaterole then 'createrole' end, case when rolreplication then 'replication' end,
       case when rolbypassrls then 'bypassrls' end], null) as privileges
     from pg_roles where rolname = $1`,
    [name],
  );
  return rows[0];
}

/** How a session of the tenant's own goes. */
export type TenantSession =
  /** The password is not the role's, or it may not connect. */
  | { readonly is: 'refused'; readonly why: string }
  /** All its connections are taken: nothing is known of what is in the schema. */
  | { readonly is: 'full' }
  | { readonly is: 'open'; readonly pendingMigrations: readonly string[] };

const REFUSED = ['28000', '28P01', '42501'];
const TOO_MANY = '53300';

/** Logs in as the tenant and looks which migrations its schema lacks; changes nothing. @throws StepError */
export async function tryTenantSession(
  provisionerUrl: string,
  login: TenantLogin,
  files: readonly MigrationFile[],
): Promise<TenantSession> {
  const client = newTenantClient(provisionerUrl, login);
  try {
    await client.connect();
    const applied = await appliedMigrations(client, login.role);
    return { is: 'open', pendingMigrations: pendingOf(files, applied) };
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && REFUSED.includes(code))
      return { is: 'refused', why: error instanceof Error ? error.message : code };
    if (code === TOO_MANY) return { is: 'full' };
    throw databaseFailure(error, `look into schema "${login.role}" of database "${login.database}"`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function appliedMigrations(client: ClientBase, schema: string) {
  const table = `${client.escapeIdentifier(schema)}.schema_migrations`;
  const { rows: there } = await client.query<{ isThere: boolean }>('select to_regclass($1) is not null as "isThere"', [
    table,
  ]);
  if (there[0]?.isThere !== true) return [];
  const { rows } = await client.query<{ name: string; checksum: string }>(`select name, checksum from ${table}`);
  return rows;
}

/** @throws StepError MIGRATION_FAILED when what was applied is not what the product brings */
function pendingOf(files: readonly MigrationFile[], applied: readonly { name: string; checksum: string }[]): string[] {
  try {
    return missing(files, applied).map(({ name }) => name);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StepError('MIGRATION_FAILED', message, { cause });
  }
}
