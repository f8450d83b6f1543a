import type { OperationType } from '../../src/contracts/operation-table.ts';
import type { CallRecord } from '../../sandbox/gateway/gateway.ts';

/**
 * Where in a call its worker is killed. `before`: the request was sent and has no effect yet. `after`: it has had its effect
 * and is not answered. `unrecorded`: it is answered, the ledger does not know. `untold`: the ledger knows, Temporal does not.
 */
export type Boundary = 'before' | 'after' | 'unrecorded' | 'untold';

export type Direction = Extract<OperationType, 'provision' | 'deprovision'>;

/** One changing call of an operation that went well. */
export interface ChangingCall {
  readonly direction: Direction;
  readonly stepId: string;
  readonly verb: string;
  readonly service: string;
  readonly action: string;
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

/** The changing calls of a calm operation, in the order in which they came. @throws Error when one is not its action's only one in its step */
export function changingCalls(direction: Direction, operationId: string, log: readonly CallRecord[]): ChangingCall[] {
  const own = log.filter(({ caller }) => caller.operationId === operationId);
  const startedAt = Math.min(...own.map(({ at }) => Date.parse(at)));
  const changes = own.filter(({ kind }) => kind === 'change').sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const calls = changes.map(({ caller: { stepId = '', verb = '' }, service, action, at }, n): ChangingCall => {
    const later = changes.slice(n + 1).filter(({ caller }) => caller.stepId === stepId);
    return {
      direction,
      stepId,
      verb,
      service,
      action,
      offsetMs: Date.parse(at) - startedAt,
      isLast: later.length === 0,
    };
  });
  const twice = calls.find((a, n) => calls.slice(n + 1).some((b) => b.stepId === a.stepId && b.action === a.action));
  if (twice)
    throw new Error(`step ${twice.stepId} calls ${twice.action} more than once: a kill point would not be one call`);
  return calls;
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
    return boundaries.map((boundary) => ({ id: `${call.stepId} ${call.action} ${boundary}`, call, boundary }));
  });
}

/** A removal that is asked for and then waited for: the ledger has nothing to record after it. */
function isAwaited({ direction, action }: ChangingCall): boolean {
  return direction === 'deprovision' && ['DeleteService', 'ChangeResourceRecordSets'].includes(action);
}

/** A part of the points, the same for the same seed: of each direction and boundary in turn, as many as asked for. */
export function sampleOf(points: readonly KillPoint[], perBoundary: number, seed: number): KillPoint[] {
  const taken = new Map<string, number>();
  return shuffled(points, seed).filter(({ call, boundary }) => {
    const stratum = `${call.direction} ${boundary}`;
    const before = taken.get(stratum) ?? 0;
    taken.set(stratum, before + 1);
    return before < perBoundary;
  });
}

/** In an order that the seed decides (mulberry32). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
