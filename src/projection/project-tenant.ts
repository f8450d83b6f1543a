import type { Tables } from '../aws/dynamodb.ts';
import type { Database } from '../db/database.ts';
import {
  findNewestEventOf,
  listEventsBetween,
  readTenantState,
  recordProjected,
  type PendingTenant,
} from '../db/projections.ts';
import { eventItem, tenantItem, tenantKey } from './items.ts';

export interface ProjectionTarget {
  readonly tables: Tables;
  readonly table: string;
  readonly installationId: string;
}

/** Events that are read and noted as projected at a time. */
const EVENTS_AT_ONCE = 200;

/** The table holds a version that this database has not come to: it is a restored backup, or not the one that wrote the table. */
export class TableAheadError extends Error {
  override readonly name = 'TableAheadError';
}

/**
 * Projects what is new of a tenant: its events, oldest first, then its own item as it is after them. Every version is written
 * once, whoever writes beside us: to write an event again changes nothing, and the item is written only over an earlier one.
 * @throws StepError of AWS; TableAheadError
 */
export async function projectTenant(
  database: Database,
  { tables, table, installationId }: ProjectionTarget,
  { tenantId, projectedEventId }: PendingTenant,
): Promise<void> {
  const state = await readTenantState(database, tenantId);
  if (!state) return;
  const { version } = state;
  let after = projectedEventId;
  for (;;) {
    const events = await listEventsBetween(database, { tenantId, after, upTo: version, limit: EVENTS_AT_ONCE });
    const last = events.at(-1);
    if (!last) break;
    await tables.putAll(
      table,
      events.map((event) => eventItem(event, installationId)),
    );
    after = last.id;
    if (after < version) await recordProjected(database, tenantId, after);
  }
  const isWritten = await tables.putNewer(table, tenantItem(state, installationId));
  if (!isWritten) await assertNotAhead(database, { tables, table }, tenantId);
  await recordProjected(database, tenantId, version);
}

/** Another worker, or this one before an answer was lost, may have written it: then the database knows that version. */
async function assertNotAhead(
  database: Database,
  { tables, table }: Pick<ProjectionTarget, 'tables' | 'table'>,
  tenantId: string,
): Promise<void> {
  const held = await tables.readVersion(table, tenantKey(tenantId));
  const newest = (await findNewestEventOf(database, tenantId)) ?? 0;
  if (held === undefined || held <= newest) return;
  throw new TableAheadError(
    `table ${table} holds version ${held} of tenant ${tenantId}, this database has come to ${newest}: after a restored backup run \`tenantry projection rebuild\``,
  );
}
