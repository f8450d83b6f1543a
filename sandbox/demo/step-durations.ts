import type { TenantEvent } from '../../src/cli/api-client.ts';

export interface StepDuration {
  readonly stepId: string;
  /** From the step's first event to its end, in ms. */
  readonly durationMs: number;
}

const endings = ['step.ready', 'step.skipped', 'step.removed'];

/** How long each step took, from an operation's events, in the order in which the steps ended. */
export function stepDurations(events: readonly TenantEvent[]): StepDuration[] {
  const began = new Map<string, number>();
  const durations: StepDuration[] = [];
  const end = (stepId: string, time: number) => {
    durations.push({ stepId, durationMs: time - (began.get(stepId) ?? time) });
    began.delete(stepId);
  };
  for (const { type, stepId, at, data } of events) {
    const time = Date.parse(at);
    if (stepId !== null) {
      if (!began.has(stepId)) began.set(stepId, time);
      if (endings.includes(type)) end(stepId, time);
    } else if (type === 'operation.state' && data.to === 'succeeded') {
      // The step that commits ends with the operation, in one transaction.
      for (const open of [...began.keys()]) end(open, time);
    }
  }
  return durations;
}
