import type { Fault, FaultRule } from '../../sandbox/gateway/gateway.ts';
import type { SampleTenant } from '../tenant.ts';
import { describePoint, type CallPoint } from './points.ts';

/** What befalls a read, and a change. */
export const readFaults = ['error', 'cut', 'throttled', 'denied'] as const;
export const changeFaults = [
  ...(['error-before', 'error-after', 'cut-before', 'cut-after', 'late', 'throttled'] as const),
  ...(['denied-before', 'denied-after', 'unseen', 'lost-and-unseen'] as const),
] as const;
export type FaultName = (typeof readFaults)[number] | (typeof changeFaults)[number];

/** One fault at one call, and whether the operation goes on after it or is undone at once. */
export interface FaultCase {
  readonly point: CallPoint;
  readonly fault: FaultName;
  readonly ending: 'goes on' | 'is undone';
}

export function describeCase({ point, fault, ending }: FaultCase): string {
  return `${describePoint(point)} ${fault}, ${ending}`;
}

export function faultCases(points: readonly CallPoint[]): FaultCase[] {
  return points.flatMap((point) =>
    (point.kind === 'read' ? readFaults : changeFaults).flatMap((fault) =>
      endingsOf(point, fault).map((ending) => ({ point, fault, ending })),
    ),
  );
}

/** What is refused for good ends the step. A read whose answer is lost leaves nothing that an undo could miss. */
function endingsOf({ phase, kind }: CallPoint, fault: FaultName): FaultCase['ending'][] {
  if (phase === 'removing') return ['goes on'];
  if (isDenied(fault)) return ['is undone'];
  return kind === 'read' || fault === 'throttled' ? ['goes on'] : ['goes on', 'is undone'];
}

export function isDenied(fault: FaultName): boolean {
  return fault === 'denied' || fault === 'denied-before' || fault === 'denied-after';
}

export function isStale({ fault }: FaultCase): boolean {
  return fault === 'unseen' || fault === 'lost-and-unseen';
}

/** A stale read strikes nothing where the step looks at nothing after its change. */
export function mustStrike(fault: FaultName): boolean {
  return fault !== 'unseen';
}

/** An answer that ends a step, and one that does not, in words that every service of AWS has. */
const denied = { code: 'AccessDeniedException', status: 400 } as const;
const broken = { code: 'InternalFailure', status: 500 } as const;

/** As long as AWS's replicas may lag, and shorter than a verb's attempts go on. */
const UNSEEN_MS = 4_500;
/** The caller gives up after 5 s. The effect comes after the next attempt has made the same; when it is undone, after the undo. */
const LATE_MS = { 'goes on': 7_000, 'is undone': 9_000 };

/** The rules of a case for one tenant; the first one is that which must strike. */
export function rulesOf({ point, fault, ending }: FaultCase, { operationId, step }: SampleTenant): FaultRule[] {
  const { service, action, verb, nth } = point;
  const match = { operationId, stepId: step.id, verb, service, action };
  const once = (f: Fault): FaultRule => ({ match, fault: f, skip: nth - 1, times: 1 });
  const unseen: FaultRule = {
    match: { ...match, kind: 'change' },
    fault: { type: 'stale', forMs: UNSEEN_MS },
    times: null,
  };
  switch (fault) {
    case 'error':
    case 'error-before':
      return [once({ type: 'error', when: 'before', ...broken })];
    case 'denied':
    case 'denied-before':
      return [once({ type: 'error', when: 'before', ...denied })];
    case 'error-after':
      return [once({ type: 'error', when: 'after', ...broken })];
    case 'denied-after':
      return [once({ type: 'error', when: 'after', ...denied })];
    case 'cut':
    case 'cut-before':
      return [once({ type: 'cut', when: 'before' })];
    case 'cut-after':
      return [once({ type: 'cut', when: 'after' })];
    case 'throttled':
      return [once({ type: 'throttle' })];
    case 'late':
      return [once({ type: 'late', effectAfterMs: LATE_MS[ending] })];
    case 'unseen':
      return [unseen];
    case 'lost-and-unseen':
      return [once({ type: 'cut', when: 'after' }), unseen];
  }
}
