import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { joinRole, retryingConcurrentUpdates } from './tenant-schemas.ts';

const patienceMs = 5_000;
const lookEveryMs = 50;

/** Drops what the caller has seen to be ours; sessions of the role are ended first and cannot come back. */
export async function removeSchemaAndRole(
  client: ClientBase,
  name: string,
  ours: { readonly role: boolean; readonly schema: boolean },
): Promise<void> {
  const quoted = client.escapeIdentifier(name);
  if (ours.role) {
    await joinRole(client, name);
    await client.query(`alter role ${quoted} nologin`);
    await endSessions(client, name);
  }
  await retryingConcurrentUpdates(client, async () => {
    if (ours.schema) await client.query(`drop schema if exists ${quoted} cascade`);
    if (!ours.role) return;
    // What it owns outside its schema (large objects), and its right to connect.
    await client.query(`drop owned by ${quoted} cascade`);
    await client.query(`drop role if exists ${quoted}`);
  });
}

async function endSessions(client: ClientBase, role: string): Promise<void> {
  for (const until = Date.now() + patienceMs; ;) {
    const { rowCount } = await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1',
      [role],
    );
    if (rowCount === 0) return;
    if (Date.now() > until)
      throw new StepError(
        'CONFLICT_RETRYABLE',
        `${rowCount ?? 0} sessions of role "${role}" did not end in ${patienceMs} ms`,
      );
    await sleep(lookEveryMs);
  }
}
