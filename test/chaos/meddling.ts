import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../src/cli/api-client.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** Answers that a caller meets when the operation went on meanwhile, or when no worker lives at this moment. */
const passing = [
  'NOTHING_TO_RETRY',
  'NOT_CANCELLABLE',
  'NOT_STUCK',
  'OPERATION_IN_PROGRESS',
  'ORCHESTRATOR_UNAVAILABLE',
  'OUTCOME_UNKNOWN',
];

/** Whoever retries has fixed what was wrong. */
export async function retry(world: ProcessWorld, tenant: Tenant): Promise<void> {
  liftStrikes(world, tenant);
  await ask(() => world.api.retry(tenant.tenantId));
}

export function liftStrikes({ gateway }: ProcessWorld, { operationId }: Tenant): void {
  for (const { id, match } of gateway.faults().rules) if (match.operationId === operationId) gateway.removeRule(id);
}

/** Asks; an answer that says "not now" leaves the tenant to be looked at again a moment later. */
export async function ask(request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (!(error instanceof ApiError && passing.includes(error.code))) throw error;
  }
  await sleep(500);
}

/** A meddler whose moment may have passed: refused or too late is all the same to it. */
export async function meddleAfter(delayMs: number | undefined, act: () => Promise<unknown>): Promise<void> {
  if (delayMs === undefined) return;
  await sleep(delayMs);
  await act().catch(() => undefined);
}
