import type { TemporalClient } from '../src/temporal/client.ts';

/** What a run cost, by its history. */
export interface Cost {
  readonly events: number;
  /** Start, activity attempts, timers, signals, Updates, upserts of search attributes: what a hosted service bills. */
  readonly actions: number;
  /** Activities that ended because their turn at a rate limit came past their time. */
  readonly turnsAwaited: number;
  /** Attempts that failed or ran out of their time, and were tried again by Temporal. */
  readonly attemptsAgain: number;
  /** Of the last of those per activity: why. */
  readonly againBecause: Readonly<Record<string, number>>;
}

export async function costOf({ client }: TemporalClient, workflowId: string): Promise<Cost> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const events = history.events ?? [];
  const againBecause: Record<string, number> = {};
  let attempts = 0;
  let attemptsAgain = 0;
  let turnsAwaited = 0;
  let others = 0;
  for (const event of events) {
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      attempts += started.attempt ?? 1;
      attemptsAgain += (started.attempt ?? 1) - 1;
      const last = started.lastFailure;
      const why = last?.timeoutFailureInfo ? 'TIMEOUT' : last?.applicationFailureInfo?.type;
      if (why) againBecause[why] = (againBecause[why] ?? 0) + 1;
    }
    if (event.activityTaskFailedEventAttributes?.failure?.applicationFailureInfo?.type === 'THROTTLED')
      turnsAwaited += 1;
    if (
      event.workflowExecutionStartedEventAttributes ??
      event.timerStartedEventAttributes ??
      event.workflowExecutionSignaledEventAttributes ??
      event.workflowExecutionUpdateAcceptedEventAttributes ??
      event.upsertWorkflowSearchAttributesEventAttributes
    )
      others += 1;
  }
  return { events: events.length, actions: attempts + others, turnsAwaited, attemptsAgain, againBecause };
}
