import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import { shuffled } from '../support/shuffled.ts';
import type { Subject } from './stories.ts';

/**
 * Where in a call its worker is killed. `before`: the request was sent and has no effect yet. `after`: it has had its effect
 * and is not answered. `unrecorded`: it is answered, the ledger does not know. `untold`: the ledger knows, Temporal does not.
 */
export type Boundary = 'before' | 'after' | 'unrecorded' | 'untold';

/** What a direction does, and to which sort of tenant. */
interface DirectionFacts {
  readonly sort: 'provision' | 'change' | 'deprovision';
  readonly subject: Subject;
}

const of = <S extends DirectionFacts['sort'], T extends Subject>(sort: S, subject: T) => ({ sort, subject });
const facts = {
  provision: of('provision', 'moamalat'),
  update: of('change', 'moamalat'),
  suspend: of('change', 'moamalat'),
  resume: of('change', 'moamalat'),
  rotate: of('change', 'moamalat'),
  'failed rotation': of('change', 'moamalat'),
  repair: of('change', 'moamalat'),
  deprovision: of('deprovision', 'moamalat'),
  'provision public account': of('provision', 'accounts public'),
  'provision private account': of('provision', 'accounts private'),
  move: of('change', 'accounts public'),
  'failed move': of('change', 'accounts public'),
  'deprovision public account': of('deprovision', 'accounts public'),
  'deprovision private account': of('deprovision', 'accounts private'),
} as const satisfies Readonly<Record<string, DirectionFacts>>;

/** What an operation does to its tenant; of a failed one, its way back. */
export type Direction = keyof typeof facts;
/** Of an existing tenant that stays. */
export type Change = { [D in Direction]: (typeof facts)[D]['sort'] extends 'change' ? D : never }[Direction];

const isDirection = (name: string): name is Direction => Object.hasOwn(facts, name);
export const directions: readonly Direction[] = Object.keys(facts).filter(isDirection);

export function factsOf(direction: Direction): DirectionFacts {
  return facts[direction];
}

export function isChange(direction: Direction): direction is Change {
  return facts[direction].sort === 'change';
}

/** Which are tried together in a long run: the first day of a product's tenants and their last; each change is alone. */
export function directionGroups(): Direction[][] {
  const alone = directions.filter(isChange);
  const lives = directions.filter((direction) => !isChange(direction));
  const isOfAccount = (direction: Direction) => facts[direction].subject.startsWith('accounts');
  return [
    lives.filter((direction) => !isOfAccount(direction)),
    ...alone.map((direction) => [direction]),
    lives.filter(isOfAccount),
  ];
}

/** One call of an operation that nothing disturbs: a changing one, or one of a step that only looks. */
export interface PointedCall {
  readonly direction: Direction;
  readonly stepId: string;
  readonly verb: string;
  readonly service: string;
  readonly action: string;
  /** How many such calls its step made before for the same verb. */
  readonly nth: number;
  /** When it came, after the operation's first call, in ms. */
  readonly offsetMs: number;
  /** Whether it is the last that its attempt makes. */
  readonly isLast: boolean;
  /** How it ended: a step that finds its work done may be answered so by an error. */
  readonly outcome: CallRecord['outcome'];
  /** Whether its step's verb changes nothing. */
  readonly isLook: boolean;
}

export interface KillPoint {
  readonly id: string;
  readonly call: PointedCall;
  readonly boundary: Boundary;
}

/** The changing calls of a calm operation, in the order in which they came; of a failed one those after its failure. */
export function changingCalls(direction: Direction, operationId: string, log: readonly CallRecord[]): PointedCall[] {
  const own = log.filter(({ caller }) => caller.operationId === operationId).sort(byTime);
  const startedAt = Date.parse(own[0]?.at ?? '');
  const changes = own.filter(({ kind }, n) => kind === 'change' && !isRepeated(own, n));
  const failedAt = changes.findLastIndex(({ fault }) => fault !== undefined);
  return changes.slice(failedAt + 1).map((change, n, all): PointedCall => {
    const { at, outcome } = change;
    return {
      ...namedCall(direction, change),
      nth: changes.slice(0, failedAt + 1 + n).filter((other) => isSame(other, change)).length,
      offsetMs: Date.parse(at) - startedAt,
      isLast: all.slice(n + 1).every((later) => !isOfSameVerb(later, change)),
      outcome,
      isLook: false,
    };
  });
}

/** AWS did not take it, and it was made again: on another day it is made once. */
function isRepeated(calls: readonly CallRecord[], n: number): boolean {
  const [call, ...later] = calls.slice(n);
  const isRefused = call !== undefined && call.outcome !== 'ok' && call.fault === undefined;
  return isRefused && later.some((other) => isSame(other, call));
}

/** Of each step's verb that only looks, the first call and the last one that is the first of its sort. */
export function lookingCalls(direction: Direction, operationId: string, log: readonly CallRecord[]): PointedCall[] {
  const own = log.filter(({ caller }) => caller.operationId === operationId).sort(byTime);
  const startedAt = Date.parse(own[0]?.at ?? '');
  const failedAt = own.findLastIndex(({ fault }) => fault !== undefined);
  const looks = own.filter(
    (look, n) =>
      n > failedAt &&
      ['ensure', 'remove'].includes(look.caller.verb ?? '') &&
      own.every((other) => !isOfSameVerb(other, look) || other.kind === 'read') &&
      own.findIndex((other) => isSame(other, look)) === n,
  );
  return looks.flatMap((look) => {
    const ofVerb = looks.filter((other) => isOfSameVerb(other, look));
    const isLast = ofVerb.at(-1) === look;
    if (!isLast && ofVerb[0] !== look) return [];
    const { at, outcome } = look;
    const offsetMs = Date.parse(at) - startedAt;
    return [{ ...namedCall(direction, look), nth: 0, offsetMs, isLast, outcome, isLook: true }];
  });
}

const byTime = (a: CallRecord, b: CallRecord) => Date.parse(a.at) - Date.parse(b.at);
const isOfSameVerb = ({ caller: a }: CallRecord, { caller: b }: CallRecord) =>
  a.stepId === b.stepId && a.verb === b.verb;
const isSame = (a: CallRecord, b: CallRecord) => isOfSameVerb(a, b) && a.action === b.action;

function namedCall(direction: Direction, { action, caller, service }: CallRecord) {
  const { stepId = '', verb = '' } = caller;
  return { direction, stepId, verb, service, action };
}

/**
 * Every boundary of every call. The answer of a call that is not its step's last one is recorded by nothing before the next
 * call: there `unrecorded` is the next one's `before`; but a step that heartbeats writes between any two.
 */
export function killPoints(calls: readonly PointedCall[]): KillPoint[] {
  return calls.flatMap((call) => {
    const boundaries: Boundary[] = call.isLook ? ['before'] : ['before', 'after'];
    if (call.isLast || call.service === 'secretsmanager') boundaries.push('unrecorded');
    if (call.isLast && !isAwaited(call)) boundaries.push('untold');
    return boundaries.map((boundary) => ({
      id: [call.direction, call.stepId, call.verb, call.action, call.nth, boundary].join(' '),
      call,
      boundary,
    }));
  });
}

/** A removal that is asked for and then waited for: the ledger has nothing to record after it. */
function isAwaited({ verb, action }: PointedCall): boolean {
  return verb === 'remove' && ['DeleteService', 'DeleteStack', 'ChangeResourceRecordSets'].includes(action);
}

/** Rows that a service wrote while others were brought over: at times there are none. */
export function mayNotCome({ call }: KillPoint): boolean {
  return call.action === 'TransactWriteItems' && call.nth > 0;
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
    if (direction === 'move') return mainPointsOfMove(points.filter(({ call }) => call.direction === direction));
    const left = shuffled(points, seed).filter(({ call }) => call.direction === direction);
    const ofEachBoundary = left.filter(
      (point, n) => left.findIndex(({ boundary }) => boundary === point.boundary) === n,
    );
    const others = left.filter((point) => !ofEachBoundary.includes(point));
    return [...ofEachBoundary, ...others].slice(0, perDirection(direction));
  });
}

/** Where a move has most to lose: inside the closed fence, between the commit and the switch, while the old rows go. */
function mainPointsOfMove(points: readonly KillPoint[]): KillPoint[] {
  if (points.length === 0) return [];
  const at = (boundary: Boundary, stepId: string, verb: string, action: string) =>
    points
      .filter((point) => point.boundary === boundary)
      .filter(({ call }) => call.stepId === stepId && call.verb === verb && call.action === action);
  // The last one says what was proven; the one before it closes the fence.
  const closing = at('after', 'close_fence', 'ensure', 'UpdateItem').at(-2);
  const [switching] = at('before', 'close_fence', 'remove', 'UpdateItem');
  const [clearing] = at('after', 'rows', 'remove', 'BatchWriteItem');
  if (closing && switching && clearing) return [closing, switching, clearing];
  throw new Error(`a calm move has other calls than it had: ${points.map(({ id }) => id).join(', ')}`);
}
