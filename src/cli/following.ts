import { closedOperationStates, openOperationStates, type OperationState } from '../contracts/operation-state.ts';
import type { Accepted, ApiClient, Operation, TenantEvent } from './api-client.ts';
import { isOneOf } from './one-of.ts';
import type { Open } from './open-answers.ts';
import { createOutages } from './outages.ts';
import { workerNotice } from './output.ts';
import { isFinal } from './progress.ts';
import type { Subject } from './subject.ts';
import { UnknownOutcomeError } from './unknown-outcome.ts';

export interface Following {
  readonly tenantId: string;
  readonly operationId: string;
  /** Name of the group of commands that a message names; default: tenants. */
  readonly group?: Subject['group'] | undefined;
  /** Id of the last event that is not to be shown any more. */
  readonly after: number;
  readonly onEvent: (event: TenantEvent) => void;
  /** Told once when the API is lost, and once when it answers again. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** How long the API may be unavailable, in ms; default a minute. */
  readonly giveUpAfterMs?: number | undefined;
  /** What the caller was told of the workers already. */
  readonly workers?: Accepted['workers'];
  /** How often is looked whether a worker still polls, in ms. */
  readonly workersEveryMs?: number | undefined;
  /** Leave when it holds, too. */
  readonly untilHold?: boolean | undefined;
}

/**
 * Shows the events of an operation as they come, until it is closed, stuck or (when asked) holds. Survives restarts of the API
 * and what makes it answer 503: the operation does not need it.
 * @returns the state it ended in
 * @throws UnknownOutcomeError when the API stays unavailable, or fails
 */
export async function followOperation(api: ApiClient, following: Following): Promise<Open<OperationState>> {
  const workers = watchWorkers(api, following);
  try {
    return await follow(api, following);
  } finally {
    workers.stop();
  }
}

async function follow(api: ApiClient, following: Following): Promise<Open<OperationState>> {
  const { group = 'tenants', tenantId, operationId } = following;
  const outages = createOutages(following.onNote, following.giveUpAfterMs);
  let { after } = following;
  for (;;) {
    const connection = new AbortController();
    try {
      for await (const event of api.stream(tenantId, after, connection.signal, {
        onOpen: outages.opened,
        onSign: outages.over,
      })) {
        const state = event.operationId === operationId ? stateOf(event) : undefined;
        // Asked before the event counts as seen: when the answer fails, the event comes again.
        const isLast = state !== undefined && (await isEndFor(api, following, state));
        after = event.id;
        if (event.operationId === operationId) following.onEvent(event);
        if (isLast) return state;
      }
      await outages.ended();
    } catch (error) {
      await outages.met(error).catch((cause: unknown) => {
        const look = `tenantry ${group} watch ${tenantId}`;
        throw new UnknownOutcomeError(`operation ${operationId} continues, but cannot be followed`, look, cause);
      });
    } finally {
      connection.abort();
    }
  }
}

const WORKERS_MS = 15_000;

/** Tells when the last worker stops, and when one polls again: without one no event comes, and nothing else would say why. */
function watchWorkers(
  api: ApiClient,
  { tenantId, onNote, workers, workersEveryMs = WORKERS_MS }: Following,
): { stop(): void } {
  let isWaiting = workers?.state === 'none';
  const look = async () => {
    // What a lost API means is told by whoever reads the events.
    const status = await api.status(tenantId).catch(() => undefined);
    const state = status?.workers?.state;
    if (status === undefined || (state !== 'none' && state !== 'polling')) return;
    const notice = workerNotice(status);
    if (!isWaiting && notice !== undefined) onNote?.(`waiting: ${notice}`);
    if (isWaiting && notice === undefined) onNote?.('a worker polls again');
    isWaiting = notice !== undefined;
  };
  const clock = setInterval(() => void look(), workersEveryMs);
  clock.unref();
  return { stop: () => clearInterval(clock) };
}

/** All events of a tenant after an id, and the id of the last one. */
export async function* pastEvents(api: ApiClient, tenantId: string, after = 0): AsyncGenerator<TenantEvent> {
  const limit = 500;
  for (;;) {
    const page = await api.events(tenantId, { after, limit });
    yield* page;
    after = page.at(-1)?.id ?? after;
    if (page.length < limit) return;
  }
}

/** Id of the newest event, so that what happened before is not taken for what happens next. */
export async function lastEventId(api: ApiClient, tenantId: string): Promise<number> {
  let last = 0;
  for await (const event of pastEvents(api, tenantId)) last = event.id;
  return last;
}

/** Whether a follower leaves: nothing more happens by itself, or it is to leave when it holds. */
export function hasEnded({ state, closedAt }: Pick<Operation, 'state' | 'closedAt'>, untilHold = false): boolean {
  return closedAt !== null || isFinal(state) || (untilHold && state === 'holding');
}

/** What a state of a later release means the operation itself says. */
async function isEndFor(
  api: ApiClient,
  { tenantId, operationId, untilHold }: Following,
  state: Open<OperationState>,
): Promise<boolean> {
  if (isOneOf([...openOperationStates, ...closedOperationStates], state))
    return hasEnded({ state, closedAt: null }, untilHold);
  const operation = await api.operation(tenantId, operationId);
  return operation.state === state && hasEnded(operation);
}

function stateOf({ type, data: { to } }: TenantEvent): Open<OperationState> | undefined {
  return type === 'operation.state' && typeof to === 'string' ? to : undefined;
}
