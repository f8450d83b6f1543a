import { proxyActivities } from '@temporalio/workflow';
import { driftPageLimits, type DriftActivities, type DriftPageAnswer } from '../contracts/drift.ts';

/** What one check saw of a cell. */
export interface DriftCellAnswer extends Omit<DriftPageAnswer, 'after'> {
  readonly cell: string;
}

/** Looks at every tenant of every cell, a page at a time. Started by a schedule. */
export async function DriftCheck(): Promise<DriftCellAnswer[]> {
  const { listDriftCells } = proxyActivities<DriftActivities>({
    startToCloseTimeout: 10_000,
    retry: { maximumAttempts: driftPageLimits.maximumAttempts },
  });
  const checks: Promise<DriftCellAnswer>[] = [];
  for (const cell of await listDriftCells()) {
    const check = checkCell(cell);
    checks.push(check);
    // A cell that fails does not end the looks at the others.
    await Promise.allSettled([check]);
  }
  return Promise.all(checks);
}

async function checkCell(cell: string): Promise<DriftCellAnswer> {
  const { lookAtTenants } = proxyActivities<DriftActivities>({
    startToCloseTimeout: driftPageLimits.startToCloseMs,
    heartbeatTimeout: driftPageLimits.heartbeatMs,
    retry: { maximumAttempts: driftPageLimits.maximumAttempts, initialInterval: 10_000 },
    summary: `cell ${cell}`,
  });
  const total = { cell, looked: 0, drifting: 0, unknown: 0 };
  let after: string | undefined;
  do {
    const page: DriftPageAnswer = await lookAtTenants({ cell, after });
    total.looked += page.looked;
    total.drifting += page.drifting;
    total.unknown += page.unknown;
    after = page.after;
  } while (after !== undefined);
  return total;
}
