import { proxyActivities } from '@temporalio/workflow';
import { sweepCellLimits, type SweepActivities, type SweepCellAnswer } from '../contracts/sweep.ts';

/** Makes a report of every cell, one after the other: it takes nothing away. Started by a schedule. */
export async function LeakSweep(): Promise<SweepCellAnswer[]> {
  const { listSweepCells } = proxyActivities<SweepActivities>({
    startToCloseTimeout: 10_000,
    retry: { maximumAttempts: sweepCellLimits.maximumAttempts },
  });
  const answers: SweepCellAnswer[] = [];
  for (const cell of await listSweepCells()) {
    const { sweepCell } = proxyActivities<SweepActivities>({
      startToCloseTimeout: sweepCellLimits.startToCloseMs,
      heartbeatTimeout: sweepCellLimits.heartbeatMs,
      retry: { maximumAttempts: sweepCellLimits.maximumAttempts, initialInterval: 10_000 },
      summary: `cell ${cell}`,
    });
    answers.push(await sweepCell({ cell }));
  }
  return answers;
}
