import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { codeOf } from './database-errors.ts';
import { assertAdministers } from './tenant-database-rights.ts';
import { namingEventTrigger } from './tenant-event-triggers.ts';
import { closeRole } from './tenant-role-sessions.ts';
import { retryingConcurrentUpdates } from './tenant-schemas.ts';
import { dropContents, lockPartitioned } from './tenant-schema-drops.ts';
import { listPartitioned, type Removal } from './tenant-schema-contents.ts';
import { describeHolders, listHolders } from './tenant-schema-holders.ts';

/**
 * Drops what the caller has seen to be ours. What others have is never taken along: it is looked for before anything is
 * touched, and no DROP cascades, so what is made in the meantime stops it. Contents go in portions; safe to repeat.
 * @param guard awaited in each transaction before it changes anything
 * @throws StepError STILL_PRESENT naming what keeps it, each with the statement that frees it
 */
export async function removeSchemaAndRole(
  client: ClientBase,
  removal: Removal,
  guard: () => Promise<void>,
): Promise<void> {
  if (removal.role) await assertAdministers(client, removal.name);
  await refuseHeld(client, removal, 'nothing was touched');
  if (!removal.role && !removal.schema) return;
  const action = `drop schema and role "${removal.name}", the rest stays`;
  try {
    await namingEventTrigger(client, { code: 'STILL_PRESENT', action }, async () => {
      if (removal.role) await closeRole(client, removal.name, guard);
      await dropContents(client, removal, guard);
      await dropSchemaAndRole(client, removal, guard);
    });
  } catch (error) {
    // Somebody made something that hangs on it, or gave it a right, since we looked; PostgreSQL names it too, without the way out.
    if (['2BP01', '42501'].includes(codeOf(error) ?? '')) await refuseHeld(client, removal, 'the rest stays');
    throw error;
  }
}

/** @throws StepError STILL_PRESENT naming what of others keeps it, each with the statement that frees it */
export async function refuseHeld(client: ClientBase, removal: Removal, state: string): Promise<void> {
  const holders = await listHolders(client, removal);
  if (holders.length === 0) return;
  const list = describeHolders(holders);
  throw new StepError(
    'STILL_PRESENT',
    `could not drop schema and role "${removal.name}", ${state}. What keeps it: ${list}`,
    { detail: list },
  );
}

/** The schema and what is left in it, with what the role owns elsewhere in the database and its rights there. */
async function dropSchemaAndRole(client: ClientBase, removal: Removal, guard: () => Promise<void>): Promise<void> {
  const quoted = client.escapeIdentifier(removal.name);
  const partitioned = await listPartitioned(client, removal);
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await lockPartitioned(client, partitioned);
    if (removal.role) await client.query(`drop owned by ${quoted} restrict`);
    if (removal.schema) await client.query(`drop schema if exists ${quoted} restrict`);
    if (removal.role) await client.query(`drop role if exists ${quoted}`);
  });
}
