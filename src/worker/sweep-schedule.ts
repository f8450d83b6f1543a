import type { Client } from '@temporalio/client';
import { SWEEP_WORKFLOW, sweepScheduleId } from '../contracts/sweep.ts';
import { ensureSchedule } from './schedule.ts';

const CATCH_UP_MS = 60 * 60_000;

/**
 * The schedule of the sweep.
 * @param everyMs undefined: off
 */
export function ensureSweepSchedule(
  client: Client,
  installationId: string,
  everyMs: number | undefined,
): ReturnType<typeof ensureSchedule> {
  const scheduleId = sweepScheduleId(installationId);
  return ensureSchedule(client, { scheduleId, workflowType: SWEEP_WORKFLOW, everyMs, catchUpMs: CATCH_UP_MS });
}
