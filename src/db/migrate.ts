import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDatabase, type Database, type Queryable } from './database.ts';
import { isConflict } from './database-errors.ts';
import { findTransactionStatement } from './transaction-statements.ts';

export interface MigrationResult {
  /** File names in the order in which this process applied them. */
  readonly applied: string[];
}

export interface WaitOptions {
  /** How long a file is tried again whose locks others hold, in ms; default two minutes. */
  readonly forMs?: number;
  readonly pauseMs?: number;
  /** Told before each pause what is waited for, as a sentence. */
  readonly onWait?: (reason: string) => void;
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
 * @throws MigrationError when an applied file was changed, or a lock did not come; NewerDatabaseError when the database holds migrations that the code does
 * not know
 */
export async function migrate(
  target: Database | string,
  from: string = folder,
  options: WaitOptions = {},
): Promise<MigrationResult> {
  if (typeof target !== 'string') return applyAll(target, readMigrations(from), options);
  const database = createDatabase({
    url: target,
    // The second one looks at what a migration waits for.
    maxConnections: 2,
    applicationName: 'tenantry-migrate',
    statementTimeoutMs: 0,
  });
  try {
    return await applyAll(database, readMigrations(from), options);
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

async function applyAll(
  database: Database,
  files: readonly MigrationFile[],
  options: WaitOptions,
): Promise<MigrationResult> {
  const applied: string[] = [];
  for (;;) {
    const name = await applyWhenFree(database, files, options);
    if (name === undefined) return { applied };
    applied.push(name);
  }
}

/**
 * A migration waits for each of its locks only briefly, because whoever comes after it in the queue waits as long: then it
 * rolls back, lets the others by, and begins anew.
 * @throws MigrationError naming the sessions in its way
 */
async function applyWhenFree(
  database: Database,
  files: readonly MigrationFile[],
  { forMs = WAIT_FOR_MS, pauseMs = PAUSE_MS, onWait = () => undefined }: WaitOptions,
): Promise<string | undefined> {
  const untilMs = performance.now() + forMs;
  for (;;) {
    const blockers = new Set<string>();
    try {
      return await database.transaction((tx) => applyNext(database, tx, files, blockers), { once: true });
    } catch (error) {
      const cause = error instanceof MigrationError ? error.cause : error;
      if (!isConflict(cause)) throw error;
      const inTheWay = blockers.size === 0 ? 'what was in its way was not seen' : [...blockers].join('; ');
      const what = error instanceof Error ? error.message : String(error);
      if (performance.now() + pauseMs >= untilMs)
        throw new MigrationError(`${what}; tried for ${forMs / 1_000} s; in its way: ${inTheWay}`, { cause: error });
      onWait(`${what}; tried again; in its way: ${inTheWay}`);
      await sleep(pauseMs);
    }
  }
}

/** How long one lock is waited for, in ms: less than PostgreSQL takes to look for a deadlock, so that it ends no other's transaction. */
const LOCK_MS = 800;
const PAUSE_MS = 2_000;
const WAIT_FOR_MS = 120_000;

/** Else PostgreSQL might read a file in another way than `readMigrations` did. */
export const readStringsAsStandard = 'set local standard_conforming_strings = on';

/** Applies the first missing file under the lock; undefined when none is missing. */
async function applyNext(
  database: Database,
  tx: Queryable,
  files: readonly MigrationFile[],
  blockers: Set<string>,
): Promise<string | undefined> {
  // A migration takes as long as it takes, whatever the role, the database or the server set for others.
  await tx.query('set local statement_timeout = 0; set local lock_timeout = 0');
  await tx.query(readStringsAsStandard);
  // Another migrating process is waited for, however long it takes.
  await tx.query('select pg_advisory_xact_lock($1)', [lockKey]);
  await tx.query(`set local lock_timeout = ${LOCK_MS}`);
  await tx.query(`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const [next] = missing(files, await appliedMigrations(tx));
  if (next === undefined) return undefined;
  const watch = await watchBlockers(database, tx, blockers);
  try {
    await tx.query(next.sql);
  } catch (cause) {
    throw new MigrationError(
      `migration ${next.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  } finally {
    watch.stop();
  }
  await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [next.name, next.checksum]);
  return next.name;
}

/** Collects what holds the locks that this transaction waits for, as sentences; only while it waits can that be seen. */
async function watchBlockers(database: Database, tx: Queryable, seen: Set<string>): Promise<{ stop: () => void }> {
  const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  const look = async () => {
    const found = await database.query<{ blocker: string }>(
      `select format('pid %s (%s, %s) since %s: %s', pid, coalesce(nullif(application_name, ''), 'no name'), state,
         date_trunc('second', xact_start), left(regexp_replace(query, '\\s+', ' ', 'g'), 120)) as blocker
       from pg_stat_activity where pid = any (pg_blocking_pids($1))`,
      [pid],
    );
    for (const { blocker } of found.rows) seen.add(blocker);
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOCK_MS / 4);
  return { stop: () => clearInterval(timer) };
}

async function appliedMigrations(db: Queryable): Promise<{ name: string; checksum: string }[]> {
  const { rows } = await db.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  );
  return rows;
}
