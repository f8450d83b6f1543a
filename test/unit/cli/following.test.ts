import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiUnreachableError, type ApiClient, type TenantEvent } from '../../../src/cli/api-client.ts';
import { followOperation } from '../../../src/cli/following.ts';
import { UnknownOutcomeError } from '../../../src/cli/unknown-outcome.ts';

const [tenantId, operationId] = ['tenant', 'operation'];
const event = (id: number, to: string) =>
  ({ id, type: 'operation.state', tenantId, operationId, stepId: null, data: { to } }) as unknown as TenantEvent;

/** An API whose connections go as they are told; `undefined`: nobody answers. */
function apiOf(connections: (TenantEvent[] | undefined)[], stepMs: number): ApiClient {
  const stream: ApiClient['stream'] = async function* (_id, _after, _signal, on) {
    const events = connections.shift();
    vi.setSystemTime(Date.now() + stepMs);
    if (!events) throw new ApiUnreachableError('no answer from http://127.0.0.1:3006: connect ECONNREFUSED');
    on?.onOpen?.();
    for (const event of events) {
      on?.onSign?.();
      yield event;
    }
  };
  return { stream } as ApiClient;
}

// The pauses between two tries are real, the clock jumps at each try.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

async function follow(connections: (TenantEvent[] | undefined)[], stepMs = 1_000) {
  const notes: string[] = [];
  const seen: number[] = [];
  const following = { tenantId, operationId, after: 0, onEvent: (e: TenantEvent) => seen.push(e.id) };
  const state = followOperation(apiOf(connections, stepMs), { ...following, onNote: (text) => notes.push(text) });
  const ended = state.catch((error: unknown) => error);
  return { ended: await ended, notes, seen };
}

it('a worker that stops while a command follows is told of, once, and so is one that polls again', async () => {
  const states = ['polling', 'none', 'none', 'unknown', 'none', 'polling', 'polling'];
  const notes: string[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const api = {
    stream: async function* () {
      await ended;
      yield event(1, 'succeeded');
    },
    status: () => {
      const state = states.shift();
      if (state === undefined) end();
      return Promise.resolve({ workers: { state: state ?? 'polling', detail: 'no worker polls the task queue' } });
    },
  } as unknown as ApiClient;
  const onNote = (text: string) => notes.push(text);
  const following = { tenantId, operationId, after: 0, onEvent: () => undefined, onNote, workersEveryMs: 5 };
  expect(await followOperation(api, following)).toBe('succeeded');
  expect(notes).toEqual([expect.stringMatching(/^waiting: no worker polls the task queue; /), 'a worker polls again']);
});

describe('while the API is unavailable', () => {
  it('one line says so, and one that it answers again', async () => {
    const { ended, notes, seen } = await follow([
      [event(1, 'running')],
      ...Array.from({ length: 3 }, () => undefined),
      [event(2, 'succeeded')],
    ]);
    expect(ended).toBe('succeeded');
    expect(seen).toEqual([1, 2]);
    expect(notes).toEqual([
      expect.stringMatching(/^the API does not answer \(.*ECONNREFUSED\): asking again .*; the operation continues$/),
      'the API answers again',
    ]);
  });

  it('following ends after a minute, with the last reason', async () => {
    const { ended, notes } = await follow(
      Array.from({ length: 9 }, () => undefined),
      40_000,
    );
    expect(ended).toBeInstanceOf(UnknownOutcomeError);
    expect(ended).toMatchObject({ cause: { name: 'ApiUnreachableError' } });
    expect(notes).toHaveLength(1);
  });

  it('nothing is said of a connection that was ended in order and made again at once', async () => {
    const { ended, notes } = await follow([[event(1, 'running')], [], [event(2, 'succeeded')]]);
    expect([ended, notes]).toEqual(['succeeded', []]);
  });

  it('following ends after a minute, with one line before, when each connection is taken and ended without an event', async () => {
    const { ended, notes } = await follow(
      Array.from({ length: 9 }, () => []),
      25_000,
    );
    expect(ended).toBeInstanceOf(UnknownOutcomeError);
    expect(ended).toMatchObject({ cause: { message: expect.stringContaining('closes each connection') as string } });
    expect(notes).toHaveLength(1);
  });
});
