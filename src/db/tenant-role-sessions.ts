import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';
import { joinRole } from './tenant-database-rights.ts';
import { retryingConcurrentUpdates } from './tenant-schemas.ts';

const sessionEndMs = 5_000;
const lookEveryMs = 50;

export async function countSessions(client: ClientBase, role: string): Promise<number> {
  const { rows } = await client.query<{ sessions: number }>(
    'select count(*)::int as sessions from pg_stat_activity where usename = $1',
    [role],
  );
  return rows[0]?.sessions ?? 0;
}

/** Sessions of the role are ended and cannot come back. */
export async function closeRole(client: ClientBase, name: string, guard: () => Promise<void>): Promise<void> {
  await retryingConcurrentUpdates(client, async () => {
    await guard();
    await joinRole(client, name);
    await client.query(`alter role ${client.escapeIdentifier(name)} nologin`);
  });
  await endSessions(client, name);
}

/** @throws StepError CONFLICT_RETRYABLE when they do not end */
export async function endSessions(client: ClientBase, role: string): Promise<void> {
  for (const until = Date.now() + sessionEndMs; ;) {
    const { rowCount } = await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1',
      [role],
    );
    if (rowCount === 0) return;
    if (Date.now() > until)
      throw new StepError(
        'CONFLICT_RETRYABLE',
        `${rowCount ?? 0} sessions of role "${role}" did not end in ${sessionEndMs} ms`,
      );
    await sleep(lookEveryMs);
  }
}
