import type { CallRecord } from '../../../sandbox/gateway/gateway.ts';
import type { StatementRecord } from '../../../sandbox/parts/postgres-proxy.ts';

/** What a tenant goes through. `rollback` is the undo of a provisioning, under the same operation id. */
export const phases = ['provision', 'rollback', 'deprovision'] as const;
export type Phase = (typeof phases)[number];

/** One call or statement of an operation that may fail: a fault point. */
export interface Point {
  readonly phase: Phase;
  readonly source: 'aws' | 'postgres';
  /** The step that makes the call; of a statement: the one that the calm run made it for, `-` for none. */
  readonly stepId: string;
  /** `ensure`, `observe`, `remove`; of a statement `sql`. */
  readonly verb: string;
  /** `ecs CreateService`; of a statement: which connection, and its text without names and values. */
  readonly call: string;
  readonly kind: 'read' | 'change';
  /** The n-th such call of the step's verb, from 1. */
  readonly nth: number;
}

export interface AwsPoint extends Point {
  readonly source: 'aws';
  readonly service: string;
  readonly action: string;
  /** The changes at its service whose effect it may show, or not show yet: of the step's verb, for a look that of the verb before it. */
  readonly changes: readonly string[];
  /** The name or ARN that the calm run's call was about. */
  readonly resource: string;
}

/** What one calm tenant did in one phase. */
export interface CalmPhase {
  readonly calls: readonly CallRecord[];
  readonly statements: readonly StatementRecord[];
}

/** The AWS calls that every one of these calm runs made in a phase. */
export function awsPoints(phase: Phase, runs: readonly (readonly CallRecord[])[]): AwsPoint[] {
  const counts = runs.map((calls) => countBy(calls, keyOf));
  const [first = []] = runs;
  const seen = new Set<string>();
  return first.flatMap((call) => {
    const key = keyOf(call);
    if (seen.has(key)) return [];
    seen.add(key);
    const always = Math.min(...counts.map((count) => count.get(key) ?? 0));
    const { stepId = '?', verb = '?' } = call.caller;
    // A wait looks as often as it takes: what one look asks for is a point, its repetition is not.
    const resources = new Set(first.filter((c) => keyOf(c) === key).map((c) => c.resource));
    const most = verb === 'observe' ? resources.size : always;
    const changing = changingVerb(phase, verb);
    const changes = first
      .filter((c) => c.kind === 'change' && c.service === call.service)
      .filter((c) => c.caller.stepId === stepId && c.caller.verb === changing)
      .map((c) => c.action);
    return Array.from({ length: Math.min(always, most) }, (_, i): AwsPoint => {
      const { service, action, kind, resource = '' } = call;
      const what = { service, action, kind, resource, call: `${service} ${action}` };
      return { phase, source: 'aws', stepId, verb, nth: i + 1, changes, ...what };
    });
  });
}

/** The verb whose changes a call of a verb looks at. */
export function changingVerb(phase: Phase, verb: string): string {
  if (verb !== 'observe') return verb;
  return phase === 'provision' ? 'ensure' : 'remove';
}

/** What is left of a point's identity on one line. */
export function describePoint({ phase, stepId, verb, call, nth }: Point): string {
  return `${phase} ${stepId}.${verb} ${call} #${nth}`;
}

export function countBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

function keyOf({ caller, service, action }: CallRecord): string {
  return [caller.stepId, caller.verb, service, action].join(' ');
}
