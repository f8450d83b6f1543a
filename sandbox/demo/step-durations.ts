import type { EventView } from '../../src/client/views.ts';

export interface StepDuration {
  readonly stepId: string;
  /** From the step's first event to its end, in ms. */
  readonly durationMs: number;
}

const endings = ['step.ready', 'step.skipped', 'step.removed'];

/** How long each step took, from an operation's events, in the order in which the steps ended. */
export function stepDurations(events: readonly EventView[]): StepDuration[] {
  const began = new Map<string, number>();
  const durations: StepDuration[] = [];
  for (const { type, stepId, at } of events) {
    if (stepId === null) continue;
    const time = Date.parse(at);
    if (!began.has(stepId)) began.set(stepId, time);
    if (endings.includes(type)) durations.push({ stepId, durationMs: time - (began.get(stepId) ?? time) });
  }
  return durations;
}
