import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import { shuffled } from '../support/shuffled.ts';

/**
 * Where in a call its worker is killed. `before`: the request was sent and has no effect yet. `after`: it has had its effect
 * and is not answered. `unrecorded`: it is answered, the ledger does not know. `untold`: the ledger knows, Temporal does not.
 */
export type Boundary = 'before' | 'after' | 'unrecorded' | 'untold';

/** What an operation does to its tenant; of a failed one, its way back. */
export const directions = [
  ...(['provision', 'update', 'suspend', 'resume', 'rotate', 'failed rotation', 'repair', 'deprovision'] as const),
] as const;
export type Direction = (typeof directions)[number];

/** One changing call of an operation that nothing disturbs. */
export interface ChangingCall {
  readonly direction: Direction;
  readonly stepId: string;
  readonly verb: string;
  readonly service: string;
  readonly action: string;
  /** How many such calls its step made before. */
  readonly nth: number;
  /** When it came, after the operation's first call, in ms. */
  readonly offsetMs: number;
  /** Whether it is the last that its attempt makes. */
  readonly isLast: boolean;
}

export interface KillPoint {
  readonly id: string;
  readonly call: ChangingCall;
  readonly boundary: Boundary;
}

/** The changing calls of a calm operation, in the order in which they came; of a failed one those after its failure. */
export function changingCalls(direction: Direction, operationId: string, log: readonly CallRecord[]): ChangingCall[] {
  const own = log.filter(({ caller }) => caller.operationId === operationId);
  const startedAt = Math.min(...own.map(({ at }) => Date.parse(at)));
  const changes = own.filter(({ kind }) => kind === 'change').sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const failedAt = changes.findLastIndex(({ fault }) => fault !== undefined);
  const isSame = (a: CallRecord, b: CallRecord) => a.caller.stepId === b.caller.stepId && a.action === b.action;
  return changes.slice(failedAt + 1).map((change, n, all): ChangingCall => {
    const { caller, service, action, at } = change;
    const { stepId = '', verb = '' } = caller;
    return {
      direction,
      ...{ stepId, verb, service, action },
      nth: changes.slice(0, failedAt + 1 + n).filter((other) => isSame(other, change)).length,
      offsetMs: Date.parse(at) - startedAt,
      isLast: all.slice(n + 1).every(({ caller: later }) => later.stepId !== stepId),
    };
  });
}

/**
 * Every boundary of every call. The answer of a call that is not its step's last one is recorded by nothing before the next
 * call: there `unrecorded` is the next one's `before`; but a step that heartbeats writes between any two.
 */
export function killPoints(calls: readonly ChangingCall[]): KillPoint[] {
  return calls.flatMap((call) => {
    const boundaries: Boundary[] = ['before', 'after'];
    if (call.isLast || call.service === 'secretsmanager') boundaries.push('unrecorded');
    if (call.isLast && !isAwaited(call)) boundaries.push('untold');
    return boundaries.map((boundary) => ({
      id: `${call.direction} ${call.stepId} ${call.action} ${call.nth} ${boundary}`,
      call,
      boundary,
    }));
  });
}

/** A removal that is asked for and then waited for: the ledger has nothing to record after it. */
function isAwaited({ verb, action }: ChangingCall): boolean {
  return verb === 'remove' && ['DeleteService', 'ChangeResourceRecordSets'].includes(action);
}

/**
 * A part of the points, the same for the same seed: of each direction as many as asked for, each at a boundary of its own as
 * far as there are any.
 */
export function sampleOf(
  points: readonly KillPoint[],
  perDirection: (direction: Direction) => number,
  seed: number,
): KillPoint[] {
  return directions.flatMap((direction) => {
    const left = shuffled(points, seed).filter(({ call }) => call.direction === direction);
    const ofEachBoundary = left.filter(
      (point, n) => left.findIndex(({ boundary }) => boundary === point.boundary) === n,
    );
    const others = left.filter((point) => !ofEachBoundary.includes(point));
    return [...ofEachBoundary, ...others].slice(0, perDirection(direction));
  });
}
