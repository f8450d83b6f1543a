import { setTimeout as sleep } from 'node:timers/promises';
import type { SchemaKey } from '../../db/tenant-schema-key.ts';
import type { StepContext } from '../framework/kind.ts';

/** Longer than a target is drained (30 s) and a container has after its SIGTERM (30 s by default), in ms. */
const DRAIN_MS = 90_000;
const LOOK_EVERY_MS = 500;

/**
 * Waits until nobody is logged in as the role any more, for a bounded time: a task that is being stopped finishes its requests by what it
 * has open, and by no new login once that is refused.
 */
export async function awaitNoSessions(
  { tenantDatabases, signal }: Pick<StepContext, 'tenantDatabases' | 'signal'>,
  key: SchemaKey,
): Promise<void> {
  for (const until = Date.now() + DRAIN_MS; Date.now() < until;) {
    if ((await tenantDatabases.countSessions(key)) === 0) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
