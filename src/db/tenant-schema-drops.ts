import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { codeOf } from './database-errors.ts';
import { retryingConcurrentUpdates } from './tenant-schemas.ts';
import {
  listForeignKeys,
  listLeaves,
  type CatalogObject,
  type Leaves,
  type Removal,
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
  for (;;) {
    const { leaves, left } = await listLeaves(client, removal, page);
    if (leaves.length > 0) await inPortions(leaves, (some) => dropLeaves(client, some, guard));
    else {
      const keys = await listForeignKeys(client, removal, page);
      if (keys.length === 0) return;
      await inPortions(keys, (some) => dropForeignKeys(client, some, guard));
      continue;
    }
    if (left === 0) return;
  }
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
    await client.query(statements.join('; '));
  });
}

async function dropForeignKeys(client: ClientBase, keys: readonly CatalogObject[], guard: Guard): Promise<void> {
  const statements = keys.map(({ identity }) => {
    const at = identity.indexOf(' on ');
    return `alter table ${identity.slice(at + 4)} drop constraint if exists ${identity.slice(0, at)} restrict`;
  });
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await client.query(statements.join('; '));
  });
}

/**
 * Even RESTRICT takes a table's partitions along. Under this lock nobody adds one.
 * @throws StepError CONFLICT_RETRYABLE when one was added since it was looked for: the next attempt names it
 */
export async function lockPartitioned(client: ClientBase, tables: readonly CatalogObject[]): Promise<void> {
  if (tables.length === 0) return;
  await client.query(tables.map(({ identity }) => `lock table only ${identity} in access exclusive mode`).join('; '));
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
