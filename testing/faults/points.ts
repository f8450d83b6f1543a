import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import type { Bench } from '../bench.ts';
import type { StepDriver } from '../tenant.ts';

/** One call that the step makes: the n-th of its action in a verb. */
export interface CallPoint {
  readonly phase: 'making' | 'removing';
  readonly verb: string;
  readonly service: string;
  readonly action: string;
  readonly kind: 'read' | 'change';
  /** From 1. */
  readonly nth: number;
}

export function describePoint({ phase, verb, service, action, nth }: CallPoint): string {
  return `${phase} ${verb} ${service}:${action} #${nth}`;
}

const CALM_RUNS = 2;

/** Watches calm steps being made and removed: every call that each of them made is a point. */
export async function callPoints(bench: Bench): Promise<CallPoint[]> {
  const runs = await Promise.all(Array.from({ length: CALM_RUNS }, () => callsOfCalmRun(bench)));
  return (['making', 'removing'] as const).flatMap((phase) =>
    pointsOf(
      phase,
      runs.map((run) => run[phase]),
    ),
  );
}

async function callsOfCalmRun(bench: Bench) {
  const driver = await bench.tenant();
  await driver.makeNeeds();
  await driver.make();
  const making = callsOf(bench, driver);
  const last = making.at(-1)?.seq ?? 0;
  await driver.takeAllAway();
  return { making, removing: callsOf(bench, driver, last) };
}

export function callsOf({ stand }: Bench, { tenant }: StepDriver, afterSeq = 0): CallRecord[] {
  return stand.gateway
    .calls(afterSeq)
    .filter(({ caller }) => caller.operationId === tenant.operationId && caller.stepId === tenant.step.id);
}

function pointsOf(phase: CallPoint['phase'], runs: readonly (readonly CallRecord[])[]): CallPoint[] {
  const [first = []] = runs;
  const keys = [...new Set(first.map(keyOf))];
  return keys.flatMap((key) => {
    const alike = first.filter((call) => keyOf(call) === key);
    const always = Math.min(...runs.map((calls) => calls.filter((call) => keyOf(call) === key).length));
    // A wait looks as often as it takes: what one look asks for is a point, its repetition is not.
    const [call] = alike;
    const distinct = call?.caller.verb === 'observe' ? new Set(alike.map(({ resource }) => resource)).size : always;
    return Array.from({ length: Math.min(always, distinct) }, (_, i) => pointOf(phase, alike[i]!, i + 1));
  });
}

function pointOf(phase: CallPoint['phase'], { caller, service, action, kind }: CallRecord, nth: number): CallPoint {
  return { phase, verb: caller.verb ?? '?', service, action, kind, nth };
}

function keyOf({ caller, service, action }: CallRecord): string {
  return `${caller.verb ?? '?'} ${service}:${action}`;
}
