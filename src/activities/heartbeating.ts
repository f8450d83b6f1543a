import { Context } from '@temporalio/activity';

/**
 * Shows by heartbeats that the worker lives while an activity that may take long is at work.
 * @param detail sent with each
 */
export async function heartbeating<T>(everyMs: number, work: () => Promise<T>, detail?: () => unknown): Promise<T> {
  const activity = Context.current();
  const beat = setInterval(() => activity.heartbeat(detail?.()), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
