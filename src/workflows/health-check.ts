import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { healthLimits, type HealthActivities, type HealthCellAnswer } from '../contracts/health.ts';

/** Looks once at all active tenants, the cells side by side. Started by a schedule. */
export async function HealthCheck(): Promise<HealthCellAnswer[]> {
  const { listHealthCells } = proxyActivities<HealthActivities>({
    startToCloseTimeout: 10_000,
    retry: { maximumAttempts: healthLimits.maximumAttempts },
  });
  const round = workflowInfo().startTime.toISOString();
  const rounds = (await listHealthCells()).map((cell) => {
    const { checkHealth } = proxyActivities<HealthActivities>({
      startToCloseTimeout: healthLimits.startToCloseMs,
      heartbeatTimeout: healthLimits.heartbeatMs,
      retry: { maximumAttempts: healthLimits.maximumAttempts },
      summary: `cell ${cell}`,
    });
    return checkHealth({ cell, round });
  });
  // A cell that fails does not end the others' rounds.
  await Promise.allSettled(rounds);
  return Promise.all(rounds);
}
