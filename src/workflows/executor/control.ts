import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { cancelRefusal, retryRefusal } from '../../contracts/applicability.ts';
import type { Grace } from '../../contracts/grace.ts';
import { queryNames, signalNames, updateNames, type Progress, type UpdateAnswer } from '../../contracts/messages.ts';
import { isOpen, type OpenOperationState, type OperationState } from '../../contracts/operation-state.ts';
import { operationTable, type OperationRules, type OperationType } from '../../contracts/operation-table.ts';
import { guardRefusal, lateRefusal } from './applicability.ts';

/** How an operation may be closed by somebody else, in the database: while it is stuck, or waits for the end of its grace period. */
export type ClosedAs = (typeof closedAs)[number];
const closedAs = ['abandoned', 'superseded', 'cancelled'] as const;

export function isClosedAs(outcome: unknown): outcome is ClosedAs {
  return (closedAs as readonly unknown[]).includes(outcome);
}

/** What operators want of a run. Handlers write it, the walk and the waits read it. */
export interface Control {
  readonly operationId: string;
  readonly type: OperationType;
  /** Of its type. */
  readonly rules: OperationRules;
  /** The operation's state as this run drives it: set before the database hears of it, so that no request slips between. */
  state: OperationState;
  generation: number;
  /** Who cancelled first: decides how the workflow closes. `database`: a change of state was refused there. */
  cancelledBy: 'request' | 'temporal' | 'database' | undefined;
  retryWanted: boolean;
  /** A request that the database has not heard of: it came with Temporal's own tools. Our client's Updates have a `notAfter`. */
  askedInTemporal: 'retry' | 'cancel' | undefined;
  closedAs: ClosedAs | undefined;
  /** Said by the database when it refused the last change of state. */
  foundClosedAs: ClosedAs | undefined;
  /** Until when it can be cancelled before it begins (epoch ms). Undefined: there is no grace period. */
  graceUntilMs: number | undefined;
  /** Cancels what the walk has in flight. */
  cancelWalk: () => void;
}

/** What a `close` signal carries. */
export interface CloseRequest {
  readonly outcome: ClosedAs;
  readonly operationId?: string | undefined;
}

export const cancelSignal = defineSignal<[operationId?: string]>(signalNames.cancel);
export const retrySignal = defineSignal<[operationId?: string]>(signalNames.retry);
/** Internal: the operation was closed in the database. */
export const closeSignal = defineSignal<[CloseRequest]>(signalNames.close);
export const cancelUpdate = defineUpdate<UpdateAnswer, [operationId?: string, notAfter?: string]>(updateNames.cancel);
export const retryUpdate = defineUpdate<UpdateAnswer, [operationId?: string, notAfter?: string]>(updateNames.retry);
export const progressQuery = defineQuery<Progress>(queryNames.progress);

/**
 * Takes requests from the run's first task on. A signal that does not apply is dropped, never remembered: it would fire
 * later, when nobody expects it. An Update that does not apply is refused by its validator, so its caller learns.
 *
 * @param state as the database has it when the run starts
 */
export function takeControl(operationId: string, type: OperationType, state: OpenOperationState): Control {
  const control: Control = {
    operationId,
    type,
    rules: operationTable[type],
    state,
    generation: 1,
    cancelledBy: undefined,
    retryWanted: false,
    askedInTemporal: undefined,
    closedAs: undefined,
    foundClosedAs: undefined,
    graceUntilMs: undefined,
    cancelWalk: () => undefined,
  };
  takeCancel(control);
  takeRetry(control);
  takeClose(control);
  setHandler(progressQuery, () => ({ operationId, state: control.state, generation: control.generation, steps: {} }));
  return control;
}

function takeCancel(control: Control): void {
  const refusal = (named: unknown) =>
    guardRefusal(control.operationId, named) ?? cancelRefusal(control.type, control.state, graceOf(control));
  const cancel = (by: 'request' | 'temporal') => {
    control.cancelledBy ??= by;
    control.cancelWalk();
  };
  const inTemporal = (by: 'request' | 'temporal') => {
    if (control.cancelledBy === undefined) control.askedInTemporal = 'cancel';
    cancel(by);
  };
  setHandler(cancelSignal, (named) => {
    if (refusal(named) === undefined) inTemporal('request');
  });
  const answer = (_named?: string, notAfter?: string) => {
    if (notAfter === undefined) inTemporal('request');
    else cancel('request');
    return answerOf(control);
  };
  setHandler(cancelUpdate, answer, {
    validator: (named?: string, notAfter?: string) =>
      refuse('NOT_CANCELLABLE', lateRefusal(notAfter, Date.now()) ?? refusal(named)),
  });
  CancellationScope.current().cancelRequested.catch(() => {
    if (refusal(undefined) === undefined) inTemporal('temporal');
  });
}

function graceOf({ graceUntilMs: untilMs }: Control): Grace | undefined {
  return untilMs === undefined ? undefined : { untilMs, nowMs: Date.now() };
}

function takeRetry(control: Control): void {
  const refusal = (named: unknown) => guardRefusal(control.operationId, named) ?? retryRefusal(control.state);
  const retry = (inTemporal: boolean) => {
    if (inTemporal && !control.retryWanted) control.askedInTemporal = 'retry';
    control.retryWanted = true;
  };
  setHandler(retrySignal, (named) => {
    if (refusal(named) === undefined) retry(true);
  });
  const answer = (_named?: string, notAfter?: string) => {
    retry(notAfter === undefined);
    return answerOf(control);
  };
  setHandler(retryUpdate, answer, {
    validator: (named?: string, notAfter?: string) =>
      refuse('NOTHING_TO_RETRY', lateRefusal(notAfter, Date.now()) ?? refusal(named)),
  });
}

function takeClose(control: Control): void {
  setHandler(closeSignal, (request: unknown) => {
    if (!mayBeClosed(control) || typeof request !== 'object' || request === null) return;
    const named = 'operationId' in request ? request.operationId : undefined;
    if (guardRefusal(control.operationId, named) !== undefined || !('outcome' in request)) return;
    if (isClosedAs(request.outcome)) control.closedAs = request.outcome;
  });
}

/** In the database. What may have a grace period may wait for its end from its claim on. */
function mayBeClosed({ rules, state }: Control): boolean {
  return state === 'stuck' || (rules.hasGrace && (state === 'accepted' || state === 'running'));
}

function refuse(type: 'NOT_CANCELLABLE' | 'NOTHING_TO_RETRY', reason: string | undefined): void {
  if (reason !== undefined) throw ApplicationFailure.nonRetryable(reason, type);
}

function answerOf({ operationId, state }: Control): UpdateAnswer {
  if (!isOpen(state)) throw ApplicationFailure.nonRetryable(`operation ${operationId} is closed (${state})`);
  return { operationId, state };
}
