import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createDatabase, type Database, type Queryable } from './database.ts';
import { findTransactionStatement } from './transaction-statements.ts';

export interface MigrationResult {
  /** File names in the order in which this process applied them. */
  readonly applied: string[];
}

/** The database and the code's migrations do not fit together, or one of them failed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** The database has migrations of a later release. Those only add, so what runs goes on; nothing that starts may rely on it. */
export class NewerDatabaseError extends MigrationError {}

/** One numbered SQL file. */
export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
}

const folder = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any number does, as long as every version of this code uses the same: the advisory lock of all migrating processes. */
const lockKey = 7_316_845_021;

/**
 * Brings the control plane's database up to the code: plain numbered SQL files, each in a transaction of its own.
 * Two processes may do this at once; each file is applied by one of them.
 *
 * @throws MigrationError when an applied file was changed; NewerDatabaseError when the database holds migrations that the code does
 * not know
 */
export async function migrate(target: Database | string, from: string = folder): Promise<MigrationResult> {
  if (typeof target !== 'string') return applyAll(target, readMigrations(from));
  const database = createDatabase({
    url: target,
    maxConnections: 1,
    applicationName: 'tenantry-migrate',
    statementTimeoutMs: 0,
  });
  try {
    return await applyAll(database, readMigrations(from));
  } finally {
    await database.close();
  }
}

/** Names of the migrations that the database still lacks. @throws MigrationError as {@link migrate} does. */
export async function pendingMigrations(database: Database, from: string = folder): Promise<string[]> {
  const { rows } = await database.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  );
  const files = readMigrations(from);
  if (rows[0]?.exists !== true) return files.map((f) => f.name);
  return missing(files, await appliedMigrations(database)).map((f) => f.name);
}

/**
 * The SQL files of a folder in order.
 * @throws MigrationError when two have the same number, a name is not `NNNN_name.sql`, or a file begins or ends a transaction
 */
export function readMigrations(from: string): MigrationFile[] {
  const names = readdirSync(from)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const numbers = new Set<string>();
  return names.map((name) => {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1];
    if (number === undefined || numbers.has(number))
      throw new MigrationError(`migration ${name} in ${from} is not named by a number of its own (NNNN_name.sql)`);
    numbers.add(number);
    const sql = readFileSync(`${from}/${name}`, 'utf8');
    refuseTransactionStatement(name, sql);
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** It would end the transaction that the file and its record share: half of it would stay when the other half fails. */
function refuseTransactionStatement(name: string, sql: string): void {
  const found = findTransactionStatement(sql);
  if (!found) return;
  throw new MigrationError(
    `migration ${name} has its own ${found.word} in line ${found.line}: each file runs in one transaction, which it must` +
      ' neither begin nor end. Remove the statement, or split the file',
  );
}

/** The files that are not applied yet. @throws MigrationError when what is applied is not the beginning of what there is. */
export function missing(
  files: readonly MigrationFile[],
  applied: readonly { readonly name: string; readonly checksum: string }[],
): MigrationFile[] {
  const byName = new Map(files.map((f) => [f.name, f]));
  for (const { name, checksum } of applied) {
    const file = byName.get(name);
    if (!file)
      throw new NewerDatabaseError(`the database has migration ${name}, which this code does not know: it is newer`);
    if (file.checksum !== checksum) throw new MigrationError(`migration ${name} was changed after it had been applied`);
  }
  const last = applied.map((a) => a.name).reduce((a, b) => (a > b ? a : b), '');
  const left = files.filter((f) => !applied.some((a) => a.name === f.name));
  const early = left.find((f) => f.name < last);
  if (early) throw new MigrationError(`migration ${early.name} comes before ${last}, which is applied already`);
  return left;
}

async function applyAll(database: Database, files: readonly MigrationFile[]): Promise<MigrationResult> {
  const applied: string[] = [];
  for (;;) {
    const name = await database.transaction((tx) => applyNext(tx, files));
    if (name === undefined) return { applied };
    applied.push(name);
  }
}

/** Else PostgreSQL might read a file in another way than `readMigrations` did. */
export const readStringsAsStandard = 'set local standard_conforming_strings = on';

/** Applies the first missing file under the lock; undefined when none is missing. */
async function applyNext(tx: Queryable, files: readonly MigrationFile[]): Promise<string | undefined> {
  // A migration takes as long as it takes, whatever the role, the database or the server set for others.
  await tx.query('set local statement_timeout = 0; set local lock_timeout = 0');
  await tx.query(readStringsAsStandard);
  await tx.query('select pg_advisory_xact_lock($1)', [lockKey]);
  await tx.query(`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const [next] = missing(files, await appliedMigrations(tx));
  if (next === undefined) return undefined;
  try {
    await tx.query(next.sql);
  } catch (cause) {
    throw new MigrationError(
      `migration ${next.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [next.name, next.checksum]);
  return next.name;
}

async function appliedMigrations(db: Queryable): Promise<{ name: string; checksum: string }[]> {
  const { rows } = await db.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  );
  return rows;
}
