import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { taskQueues } from '../contracts/ids.ts';

/** How often a worker looks whether the schedules are there, in ms. */
export const SCHEDULE_EVERY_MS = 5 * 60_000;

/** A workflow that is started at intervals; never twice at once. */
export interface ScheduledWorkflow {
  /** Also the workflow's id, followed by the time of the start. */
  readonly scheduleId: string;
  readonly workflowType: string;
  /** Undefined: off. */
  readonly everyMs: number | undefined;
  /** A run that was missed because Temporal was down is made up for within this time, in ms. */
  readonly catchUpMs: number;
}

/**
 * Makes a schedule, once however many workers ask; one of another interval is changed. Without an interval a schedule that is
 * there is taken away.
 */
export async function ensureSchedule(
  client: Client,
  { scheduleId, workflowType, everyMs, catchUpMs }: ScheduledWorkflow,
): Promise<'created' | 'changed' | 'unchanged' | 'removed'> {
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
        workflowType,
        workflowId: scheduleId,
        taskQueue: taskQueues.workflow,
        args: [],
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpMs },
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
