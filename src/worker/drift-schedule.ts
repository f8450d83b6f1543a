import type { Client } from '@temporalio/client';
import { DRIFT_WORKFLOW, driftScheduleId } from '../contracts/drift.ts';
import { ensureSchedule } from './schedule.ts';

/** A look that was missed because Temporal was down is made up for within this time, in ms. */
const CATCH_UP_MS = 60 * 60_000;

/**
 * The schedule of the look at drift.
 * @param everyMs undefined: off
 */
export function ensureDriftSchedule(
  client: Client,
  installationId: string,
  everyMs: number | undefined,
): ReturnType<typeof ensureSchedule> {
  const scheduleId = driftScheduleId(installationId);
  return ensureSchedule(client, { scheduleId, workflowType: DRIFT_WORKFLOW, everyMs, catchUpMs: CATCH_UP_MS });
}
