import { AsyncLocalStorage } from 'node:async_hooks';

/** On whose behalf a call is made: goes into its user agent, so that CloudTrail names the operation and the step. */
export interface StepCaller {
  readonly operationId: string;
  readonly stepId: string;
  readonly verb: string;
  /** When the operation was accepted, in epoch ms: the calls of an older one go first. */
  readonly since?: number | undefined;
  /** No operation waits for the call: those of operations go first. */
  readonly isBackground?: boolean | undefined;
}

/** What every AWS call made on behalf of a verb carries along without being handed from function to function. */
export interface CallContext {
  /** Awaited before each call that changes something; throws when the step is being taken back (design rule 7). */
  readonly beforeMutation: () => Promise<void>;
  /** Called after each change that AWS answered with success. */
  readonly afterMutation?: (() => void) | undefined;
  /** Aborts the call when the activity is cancelled or times out. */
  readonly signal: AbortSignal;
  /** When the attempt's time is over, in epoch ms; absent: it has no end. */
  readonly untilMs?: (() => number | undefined) | undefined;
  /** Called when a call has its turn, right before it is sent. */
  readonly onTurn?: (() => void) | undefined;
  /** Absent: nobody's step (the worker's own loops). */
  readonly caller?: StepCaller | undefined;
}

const storage = new AsyncLocalStorage<CallContext>();

/** Runs `fn` so that every AWS call inside it sees `context`. */
export function inCallContext<T>(context: CallContext, fn: () => Promise<T>): Promise<T> {
  return storage.run(context, fn);
}

/** The context of the running verb; undefined outside of one (doctor, worker start). */
export function currentCallContext(): CallContext | undefined {
  return storage.getStore();
}
