import type { Client } from '@temporalio/client';
import { HEALTH_WORKFLOW, healthScheduleId } from '../contracts/health.ts';
import { ensureSchedule } from './schedule.ts';

/** The least that Temporal takes: a round that was missed is not made up for. */
const CATCH_UP_MS = 10_000;

/**
 * The schedule of the looks at active tenants.
 * @param everyMs undefined: off
 */
export function ensureHealthSchedule(
  client: Client,
  installationId: string,
  everyMs: number | undefined,
): ReturnType<typeof ensureSchedule> {
  const scheduleId = healthScheduleId(installationId);
  return ensureSchedule(client, { scheduleId, workflowType: HEALTH_WORKFLOW, everyMs, catchUpMs: CATCH_UP_MS });
}
