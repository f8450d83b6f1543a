import type { KeyedItem } from '../aws/dynamodb.ts';
import type { Database } from '../db/database.ts';
import {
  listEventsBetween,
  listExistingTenants,
  listTenantIds,
  readTenantState,
  recordProjected,
} from '../db/projections.ts';
import { eventItem, tenantIdOf, tenantItem, tenantKey } from './items.ts';
import type { ProjectionTarget } from './project-tenant.ts';

export interface Rebuilt {
  /** Tenants that were written anew. */
  readonly tenants: number;
  /** Events of theirs that were written. */
  readonly events: number;
  /** Items that were removed: of tenants that do not exist, and events that this database does not know. */
  readonly removed: number;
  /** Items that this installation did not write: they stay. */
  readonly foreign: number;
}

const firstId = '00000000-0000-0000-0000-000000000000';
const PAGE = 100;
const ATTEMPTS = 20;

/**
 * Writes every tenant of a cell anew and removes what has no tenant. Workers may go on beside it: an item is written over the
 * version that was seen before the tenant was read, so what a worker wrote meanwhile is never replaced by something older.
 * @throws StepError of AWS; what was done before stays done, and it may be run again
 */
export async function rebuild(database: Database, target: ProjectionTarget, cell: string): Promise<Rebuilt> {
  const done = { tenants: 0, events: 0, removed: 0, foreign: 0 };
  for (let after = firstId; ;) {
    const ids = await listTenantIds(database, cell, after, PAGE);
    for (const tenantId of ids) {
      const { events, removed } = await rebuildTenant(database, target, tenantId);
      done.tenants += 1;
      done.events += events;
      done.removed += removed;
    }
    const last = ids.at(-1);
    if (last === undefined) break;
    after = last;
  }
  const rest = await removeWithoutTenant(database, target);
  return { ...done, removed: done.removed + rest.removed, foreign: rest.foreign };
}

async function rebuildTenant(database: Database, target: ProjectionTarget, tenantId: string) {
  const { tables, table, installationId } = target;
  const version = await writeOver(database, target, tenantId);
  const known = new Set<string>();
  let after = 0;
  for (;;) {
    const events = await listEventsBetween(database, { tenantId, after, upTo: version, limit: 200 });
    const items = events.map((event) => eventItem(event, installationId));
    await tables.putAll(table, items);
    for (const item of items) known.add(item.SK);
    const last = events.at(-1);
    if (!last) break;
    after = last.id;
  }
  await recordProjected(database, tenantId, version);
  return { events: known.size, removed: await removeUnknownEvents(database, target, { tenantId, version, known }) };
}

/** Events of a history that this database has lost. Those that a worker wrote meanwhile are read after what is in the table. */
async function removeUnknownEvents(
  database: Database,
  { tables, table, installationId }: ProjectionTarget,
  { tenantId, version, known }: { tenantId: string; version: number; known: ReadonlySet<string> },
): Promise<number> {
  const unknown: KeyedItem[] = [];
  for await (const item of tables.listItems(table, tenantKey(tenantId).PK))
    if (item.item === 'event' && item.installationId === installationId && !known.has(item.SK)) unknown.push(item);
  if (unknown.length === 0) return 0;
  const upTo = Number.MAX_SAFE_INTEGER;
  const later = await listEventsBetween(database, { tenantId, after: version, upTo, limit: 10_000 });
  const written = new Set(later.map((event) => eventItem(event, installationId).SK));
  const strays = unknown.filter((item) => !written.has(item.SK));
  await tables.removeAll(table, strays);
  return strays.length;
}

/** @returns the version that the table holds then, or one that is later */
async function writeOver(database: Database, target: ProjectionTarget, tenantId: string): Promise<number> {
  const { tables, table, installationId } = target;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // In this order: whatever is seen in the table is no later than what is read of the tenant then.
    const seen = await tables.readVersion(table, tenantKey(tenantId));
    const state = await readTenantState(database, tenantId);
    if (!state) return 0;
    if (await tables.putInPlaceOf(table, tenantItem(state, installationId), seen)) return state.version;
  }
  throw new Error(`tenant ${tenantId} changed at each of ${ATTEMPTS} attempts to write it`);
}

async function removeWithoutTenant(
  database: Database,
  { tables, table, installationId }: ProjectionTarget,
): Promise<Pick<Rebuilt, 'removed' | 'foreign'>> {
  const done = { removed: 0, foreign: 0 };
  let batch: KeyedItem[] = [];
  const remove = async () => {
    const ids = new Set(batch.flatMap((item) => tenantIdOf(item) ?? []));
    const existing = new Set(await listExistingTenants(database, [...ids]));
    const strays = batch.filter((item) => !existing.has(tenantIdOf(item) ?? ''));
    await tables.removeAll(table, strays);
    done.removed += strays.length;
    batch = [];
  };
  for await (const item of tables.listAll(table, ['installationId'])) {
    if (item.installationId !== installationId || tenantIdOf(item) === undefined) done.foreign += 1;
    else if (batch.push(item) === 200) await remove();
  }
  await remove();
  return done;
}
