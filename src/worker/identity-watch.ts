import type { Logger } from 'pino';
import type { PlatformAws } from '../aws/cell-aws.ts';
import { runbookPage } from '../contracts/advice.ts';
import type { Cell, Platform } from '../contracts/platform.ts';
import { StepError } from '../contracts/step-error.ts';

/** How often a running worker asks AWS who it is, in ms. */
export const IDENTITY_EVERY_MS = 30_000;
/** Failures in a row before the alert: two minutes. */
const ALERT_AFTER_ROUNDS = 4;

/**
 * A round that asks AWS in each cell who we are. Raises the alert `aws-unusable`, once for each cell, when that has failed for
 * two minutes: steps wait for credentials without limit, so nothing else would tell soon.
 */
export function createIdentityWatch(deps: { platform: Platform; aws: PlatformAws; log: Logger }): () => Promise<void> {
  const failures = new Map<string, number>();
  return async () => {
    await Promise.all(deps.platform.cells.map((cell) => watchCell(deps, cell, failures)));
  };
}

async function watchCell(
  { aws, log }: { aws: PlatformAws; log: Logger },
  { id: cell }: Cell,
  failures: Map<string, number>,
): Promise<void> {
  const before = failures.get(cell) ?? 0;
  try {
    await aws(cell).identity.whoAmI();
    failures.set(cell, 0);
    if (before >= ALERT_AFTER_ROUNDS) log.info({ cell }, 'AWS knows the worker again');
  } catch (error) {
    failures.set(cell, before + 1);
    if (before + 1 !== ALERT_AFTER_ROUNDS) return;
    const code = error instanceof StepError ? error.code : 'INTERNAL';
    const at = { alert: 'aws-unusable', cell, code, reason: messageOf(error), runbook: runbookPage('aws-unusable') };
    log.error(at, 'the worker cannot use AWS in this cell: its steps wait until that is fixed');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
