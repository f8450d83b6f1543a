import type { ClientBase, QueryConfig } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { codeOf } from './database-errors.ts';
import { retryingConcurrentUpdates } from './tenant-schemas.ts';
import {
  listForeignKeys,
  listLeaves,
  type CatalogObject,
  type Leaves,
  type Removal,
  type TableConstraint,
} from './tenant-schema-contents.ts';

/** A table takes some twenty locks with its indexes and the like, of 6,400 that a server has by default. */
const portion = 25;
/** How many are looked up at once. */
const page = 2_000;

type Guard = () => Promise<void>;
type Leaf = Leaves['leaves'][number];

/**
 * Drops what is in the schema and what the role owns, each portion in a transaction of its own, so that the locks of one do
 * not fill the server's lock table. First what nothing hangs on, then what hung on it alone. Leaves what hangs together in a
 * circle, which the role's own DROP takes at once.
 */
export async function dropContents(client: ClientBase, removal: Removal, guard: Guard): Promise<void> {
  const refuseSame = progressGuard();
  for (;;) {
    const { leaves, left } = await listLeaves(client, removal, page);
    const keys = leaves.length > 0 ? [] : await listForeignKeys(client, removal, page);
    if (leaves.length + keys.length === 0) return;
    refuseSame([
      ...leaves.map(({ oid, type, identity }) => ({ oid, what: `${type} ${identity}` })),
      ...keys.map(keyOf),
    ]);
    await inPortions(leaves, (some) => dropLeaves(client, some, guard));
    await inPortions(keys, (some) => dropForeignKeys(client, some, guard));
    if (keys.length === 0 && left === 0) return;
  }
}

interface Listed {
  readonly oid: string;
  readonly what: string;
}

function keyOf({ oid, table, name }: TableConstraint): Listed {
  return { oid, what: `constraint ${name} of table ${table}` };
}

/** Every DROP says IF EXISTS: one that hits nothing would be sent again and again. */
function progressGuard(): (listed: readonly Listed[]) => void {
  let before = new Set<string>();
  return (listed) => {
    const stays = listed.filter(({ oid }) => before.has(oid));
    if (stays.length > 0) {
      const names = stays.slice(0, 10).map(({ what }) => what);
      throw new StepError(
        'STILL_PRESENT',
        `${stays.length} objects are there though they were dropped: ${names.join(', ')}`,
      );
    }
    before = new Set(listed.map(({ oid }) => oid));
  };
}

/** Half as many at a time when the lock table is full all the same. */
async function inPortions<T>(items: readonly T[], drop: (some: readonly T[]) => Promise<void>): Promise<void> {
  let size = portion;
  for (let done = 0; done < items.length;) {
    const some = items.slice(done, done + size);
    try {
      await drop(some);
      done += some.length;
    } catch (error) {
      if (codeOf(error) !== '53200' || size === 1) throw error;
      size = Math.ceil(size / 2);
    }
  }
}

async function dropLeaves(client: ClientBase, leaves: readonly Leaf[], guard: Guard): Promise<void> {
  const statements = leaves.map(dropStatement);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await lockPartitioned(
      client,
      leaves.filter((leaf) => leaf.relationKind === 'p'),
    );
    await sendEach(client, statements);
  });
}

async function dropForeignKeys(client: ClientBase, keys: readonly TableConstraint[], guard: Guard): Promise<void> {
  const statements = keys.map(({ table, name }) => `alter table ${table} drop constraint if exists ${name} restrict`);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await sendEach(client, statements);
  });
}

/**
 * One after the other by the extended protocol, which takes a single statement: whatever a tenant calls its things, no name can
 * add one that we would carry out.
 */
async function sendEach(client: ClientBase, statements: readonly string[]): Promise<void> {
  for (const text of statements) {
    // The types of `pg` do not know the option yet.
    const single: QueryConfig & { readonly queryMode: 'extended' } = { text, queryMode: 'extended' };
    await client.query(single);
  }
}

/**
 * Even RESTRICT takes a table's partitions along. Under this lock nobody adds one.
 * @throws StepError CONFLICT_RETRYABLE when one was added since it was looked for: the next attempt names it
 */
export async function lockPartitioned(client: ClientBase, tables: readonly CatalogObject[]): Promise<void> {
  if (tables.length === 0) return;
  await sendEach(
    client,
    tables.map(({ identity }) => `lock table only ${identity} in access exclusive mode`),
  );
  const { rows } = await client.query<{ name: string }>(
    `select format('%s of %s', inhrelid::regclass, inhparent::regclass) as name from pg_inherits where inhparent = any ($1::oid[]) limit 1`,
    [tables.map(({ oid }) => oid)],
  );
  if (rows[0] === undefined) return;
  throw new StepError('CONFLICT_RETRYABLE', `partition ${rows[0].name} was added while the tables were being dropped`);
}

/** No CASCADE: what somebody hangs on it at this moment stops it. Missing is done: another attempt may be at it. */
function dropStatement({ catalog, oid, type, identity }: Leaf): string {
  if (catalog === 'pg_largeobject') return `select lo_unlink(${oid}) from pg_largeobject_metadata where oid = ${oid}`;
  const word = type === 'statistics object' ? 'statistics' : type;
  return `drop ${word} if exists ${identity} restrict`;
}
