import type { Logger } from 'pino';
import { AwsError } from '../answer.ts';
import type { Scaling } from '../scaling/scaling.ts';
import type { Clock } from '../time.ts';
import type { Upstream } from '../upstream.ts';
import { failedResources, setStack } from './events.ts';
import type { Stack, StackResource, Wish } from './model.ts';
import { makeResource, removeResource, type Run } from './run.ts';
import { evaluationOf, outputsOf } from './stack-evaluation.ts';
import { undoAll, updateResources, type Undo } from './update.ts';

export interface MachineParts {
  readonly clock: Clock;
  readonly upstream: Upstream;
  readonly scaling: Scaling;
  readonly logger: Logger;
}

/** Carries out what is asked of stacks, one operation after the other for each, in the gateway's own time. */
export class StackMachine {
  readonly #parts: MachineParts;
  readonly #current = new WeakMap<Stack, { readonly done: Promise<void> }>();
  /** Of updates whose rollback failed. */
  readonly #undos = new WeakMap<Stack, { readonly undos: Undo[]; readonly before: Wish }>();

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  create(stack: Stack): void {
    const token = stack.creationToken;
    setStack(stack, 'CREATE_IN_PROGRESS', { token, reason: 'User Initiated' });
    this.#start(stack, token, (run) => this.#create(run));
  }

  /** `executed` is told how it ended. */
  update(stack: Stack, wish: Wish, token: string | undefined, executed?: (isDone: boolean) => void): void {
    stack.updatedAt = new Date();
    setStack(stack, 'UPDATE_IN_PROGRESS', { token, reason: 'User Initiated' });
    this.#start(stack, token, async (run) => {
      const isDone = await this.#update(run, wish);
      executed?.(isDone);
    });
  }

  continueRollback(stack: Stack, token: string | undefined): void {
    setStack(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', { token, reason: 'User Initiated' });
    this.#start(stack, token, (run) => this.#rollBack(run));
  }

  remove(stack: Stack, token: string | undefined, retained: readonly string[]): void {
    setStack(stack, 'DELETE_IN_PROGRESS', { token, reason: 'User Initiated' });
    this.#start(stack, token, (run) => this.#remove(run, retained));
  }

  /** What goes on at the stack ends first, as soon as it can. */
  #start(stack: Stack, token: string | undefined, work: (run: Run) => Promise<void>): void {
    const { clock, logger, scaling, upstream } = this.#parts;
    const before = this.#current.get(stack)?.done;
    const minutes = stack.status === 'CREATE_IN_PROGRESS' ? stack.timeoutMinutes : undefined;
    const untilMs = minutes === undefined ? Infinity : Date.now() + minutes * 60_000 * clock.settings.stackTimeoutScale;
    const clients = upstream.clients(stack.scope);
    const isCurrent = () => this.#current.get(stack)?.done === done;
    const done: Promise<void> = Promise.resolve(before)
      .then(() => work({ stack, token, clients, scaling, clock, untilMs, isCurrent }))
      .catch((error: unknown) => logger.error({ err: error, stack: stack.id }, 'an operation of a stack broke off'));
    this.#current.set(stack, { done });
  }

  async #create(run: Run): Promise<void> {
    const { stack, token } = run;
    const failure = await orFailure(() => makeAll(run));
    if (!run.isCurrent()) return;
    if (failure === undefined) setStack(stack, 'CREATE_COMPLETE', { token });
    else await this.#afterFailure(run, failure);
  }

  async #afterFailure(run: Run, failure: string): Promise<void> {
    const { stack, token } = run;
    switch (stack.onFailure) {
      case 'DO_NOTHING':
        setStack(stack, 'CREATE_FAILED', { token, reason: failure });
        return;
      case 'DELETE':
        setStack(stack, 'DELETE_IN_PROGRESS', { token, reason: `${failure}Delete requested by user.` });
        await this.#remove(run, []);
        return;
      case 'ROLLBACK':
        setStack(stack, 'ROLLBACK_IN_PROGRESS', { token, reason: `${failure}Rollback requested by user.` });
        ended(run, 'ROLLBACK', await removeAll(run, [], true));
    }
  }

  async #update(run: Run, wish: Wish): Promise<boolean> {
    const { stack, token } = run;
    const before = stack.wish;
    const undos: Undo[] = [];
    const cleanups: StackResource[] = [];
    const failed = await orFailure(() => updateResources(run, wish, undos, cleanups));
    if (failed !== undefined) {
      setStack(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', { token, reason: failed });
      this.#undos.set(stack, { undos, before });
      await this.#rollBack(run);
      return false;
    }
    stack.wish = wish;
    setStack(stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', { token });
    // What cannot be cleaned up fails no update.
    for (const resource of cleanups.filter(({ deletionPolicy }) => !deletionPolicy.startsWith('Retain')))
      await removeResource(run, resource);
    setStack(stack, 'UPDATE_COMPLETE', { token });
    return true;
  }

  async #rollBack(run: Run): Promise<void> {
    const { stack, token } = run;
    const known = this.#undos.get(stack);
    const failed = known ? await undoAll(run, known.undos) : [];
    if (failed.length > 0) {
      setStack(stack, 'UPDATE_ROLLBACK_FAILED', { token, reason: failedResources('update', failed) });
      return;
    }
    if (known) stack.wish = known.before;
    this.#undos.delete(stack);
    setStack(stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', { token });
    setStack(stack, 'UPDATE_ROLLBACK_COMPLETE', { token });
  }

  async #remove(run: Run, retained: readonly string[]): Promise<void> {
    ended(run, 'DELETE', await removeAll(run, retained, false));
  }
}

/** The stack's state after its resources were taken away, but for what is left. */
function ended({ isCurrent, stack, token }: Run, what: 'DELETE' | 'ROLLBACK', left: readonly string[]): void {
  if (!isCurrent()) return;
  if (left.length > 0) {
    setStack(stack, `${what}_FAILED`, { token, reason: failedResources('delete', left) });
    return;
  }
  if (what === 'DELETE') stack.deletedAt = new Date();
  setStack(stack, `${what}_COMPLETE`, { token });
}

/** Why it failed; undefined when all were made. */
async function makeAll(run: Run): Promise<string | undefined> {
  const { stack } = run;
  const { wish } = stack;
  const evaluation = evaluationOf(stack, wish);
  for (const [logicalId, resource] of evaluation.resources()) {
    if (!run.isCurrent()) return undefined;
    const wanted = { logicalId, type: resource.Type, deletionPolicy: resource.DeletionPolicy };
    const isMade = await makeResource(run, wish, { ...wanted, properties: evaluation.properties(resource) });
    if (isMade) continue;
    return Date.now() >= run.untilMs
      ? 'Stack creation time exceeded the specified timeout. '
      : failedResources('create', [logicalId]);
  }
  stack.outputs = outputsOf(evaluation, wish);
  return undefined;
}

/** Those made last first; logical ids of what could not be taken away. */
async function removeAll(run: Run, retained: readonly string[], isRollback: boolean): Promise<string[]> {
  const left: string[] = [];
  for (const resource of [...run.stack.resources.values()].reverse()) {
    if (retained.includes(resource.logicalId) || isKept(resource, isRollback)) {
      run.stack.resources.delete(resource.logicalId);
      continue;
    }
    if (!(await removeResource(run, resource))) left.push(resource.logicalId);
  }
  return left;
}

function isKept({ deletionPolicy }: StackResource, isRollback: boolean): boolean {
  return deletionPolicy === 'Retain' || (deletionPolicy === 'RetainExceptOnCreate' && !isRollback);
}

/** What a template says that cannot be, such as an attribute that there is none of, fails the operation. */
async function orFailure(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwsError) return `${error.message} `;
    throw error;
  }
}
