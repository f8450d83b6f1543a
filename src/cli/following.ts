import { setTimeout as sleep } from 'node:timers/promises';
import type { EventView } from '../client/views.ts';
import { closedOperationStates, openOperationStates, type OperationState } from '../contracts/operation-state.ts';
import { ApiUnreachableError, type ApiClient } from './api-client.ts';
import { isOneOf } from './one-of.ts';
import { isFinal } from './progress.ts';

export interface Following {
  readonly tenantId: string;
  readonly operationId: string;
  /** Id of the last event that is not to be shown any more. */
  readonly after: number;
  readonly onEvent: (event: EventView) => void;
  /** Told once when the API is lost, and once when it answers again. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Leave when it holds, too. */
  readonly untilHold?: boolean | undefined;
}

/** How long the API may be unavailable before we give up, in ms. */
const PATIENCE_MS = 60_000;

/**
 * Shows the events of an operation as they come, until it is closed, stuck or (when asked) holds; survives restarts of the API.
 * @returns the state it ended in
 * @throws ApiUnreachableError when the API stays unavailable
 */
export async function followOperation(api: ApiClient, following: Following): Promise<OperationState> {
  let { after } = following;
  let lostAtMs: number | undefined;
  let isLossTold = false;
  const onOpen = () => {
    lostAtMs = undefined;
    if (isLossTold) following.onNote?.('the API answers again');
    isLossTold = false;
  };
  for (;;) {
    const connection = new AbortController();
    try {
      for await (const event of api.stream(following.tenantId, after, connection.signal, onOpen)) {
        after = event.id;
        if (event.operationId !== following.operationId) continue;
        following.onEvent(event);
        const state = stateOf(event);
        if (state !== undefined && isEnd(state, following.untilHold)) return state;
      }
      // Ended in order, by a restart perhaps: only when it does not come back is there something to tell.
      lostAtMs = Date.now();
    } catch (error) {
      if (!isInterruption(error)) throw error;
      lostAtMs ??= Date.now();
      if (Date.now() - lostAtMs > PATIENCE_MS) throw error;
      if (!isLossTold) following.onNote?.(lossText(error));
      isLossTold = true;
    } finally {
      connection.abort();
    }
    await sleep(1_000);
  }
}

/** All events of a tenant after an id, and the id of the last one. */
export async function* pastEvents(api: ApiClient, tenantId: string, after = 0): AsyncGenerator<EventView> {
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

/** Whether a follower leaves in this state: nothing more happens by itself, or it is to leave when it holds. */
export function isEnd(state: OperationState, untilHold = false): boolean {
  return isFinal(state) || (untilHold && state === 'holding');
}

function stateOf(event: EventView): OperationState | undefined {
  const { to } = event.data;
  if (event.type !== 'operation.state' || typeof to !== 'string') return undefined;
  return isOneOf([...openOperationStates, ...closedOperationStates], to) ? to : undefined;
}

function lossText(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `the API does not answer (${reason}): asking again for ${PATIENCE_MS / 1000} s; the operation goes on`;
}

/** A connection that breaks off in the middle shows as a TypeError of `fetch`. */
function isInterruption(error: unknown): boolean {
  return error instanceof ApiUnreachableError || error instanceof TypeError;
}
