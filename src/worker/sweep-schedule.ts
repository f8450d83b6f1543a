import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { taskQueues } from '../contracts/ids.ts';
import { SWEEP_WORKFLOW, sweepScheduleId } from '../contracts/sweep.ts';

/** How often a worker looks whether the schedule is there, in ms. */
export const SCHEDULE_EVERY_MS = 5 * 60_000;

/** A sweep that was missed because Temporal was down is made up for within this time, in ms. */
const CATCH_UP_MS = 60 * 60_000;

/**
 * Makes the schedule of the sweep, once however many workers ask; one of another interval is changed. Without an interval
 * a schedule that is there is taken away.
 * @param everyMs undefined: off
 */
export async function ensureSweepSchedule(
  client: Client,
  installationId: string,
  everyMs: number | undefined,
): Promise<'created' | 'changed' | 'unchanged' | 'removed'> {
  const scheduleId = sweepScheduleId(installationId);
  const handle = client.schedule.getHandle(scheduleId);
  if (everyMs === undefined) {
    try {
      await handle.delete();
      return 'removed';
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return 'unchanged';
      throw error;
    }
  }
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: everyMs }] },
      action: {
        type: 'startWorkflow',
        workflowType: SWEEP_WORKFLOW,
        workflowId: scheduleId,
        taskQueue: taskQueues.workflow,
        args: [],
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
    });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const { spec } = await handle.describe();
  if (spec.intervals?.length === 1 && spec.intervals[0]?.every === everyMs) return 'unchanged';
  await handle.update(({ spec: _, ...rest }) => ({ ...rest, spec: { intervals: [{ every: everyMs }] } }));
  return 'changed';
}
