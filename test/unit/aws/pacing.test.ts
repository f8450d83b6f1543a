import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPacing, type TurnRequest } from '../../../src/aws/pacing.ts';
import type { LeaseTokens } from '../../../src/db/rate-buckets.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
/** Task definitions: 17 at once (a burst of 20 less the three seconds of a lease), then one per second. */
const change: TurnRequest = { buckets: ['ecs-task-definition'], isLook: false };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const inMs = (ms: number) => {
  const at = Date.now() + ms;
  return () => at;
};

/** Settles what is due and answers how it went so far. */
async function outcomeOf(turn: Promise<unknown>, afterMs = 0): Promise<unknown> {
  let outcome: unknown = 'waits';
  turn.then(
    () => (outcome = 'turn'),
    (error: unknown) => (outcome = error),
  );
  await vi.advanceTimersByTimeAsync(afterMs);
  return outcome;
}

describe('a pacer', () => {
  it('lets the burst through at once and the others one by one, older work first', async () => {
    const pacer = createPacing()(place);
    const served: number[] = [];
    const ask = (n: number, since: number) =>
      pacer.turn({ ...change, since, latestAtMs: inMs(60_000) }).then(() => served.push(n));
    const asked = Array.from({ length: 17 }, (_, n) => ask(n, 1_000));
    await vi.advanceTimersByTimeAsync(10);
    expect(served).toHaveLength(17);
    asked.push(ask(20, 3_000), ask(21, 2_000), ask(22, 1_500));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(served.slice(17)).toEqual([22, 21, 20]);
    await Promise.all(asked);
  });

  it('is shared by the cells of an account and region, and for Route 53 by all regions', async () => {
    const asked: string[] = [];
    const lease: LeaseTokens = (request) => {
      asked.push(`${request.accountId} ${request.region}`);
      return Promise.resolve({ granted: request.wanted, nextMs: 0, askers: 1, workers: 1 });
    };
    const pacing = createPacing({ lease });
    await pacing(place).turn(change);
    await pacing({ ...place, region: 'eu-west-1' }).turn(change);
    await pacing({ ...place, region: 'eu-west-1' }).turn({ buckets: ['route53'], isLook: true });
    expect(asked).toEqual(['123456789012 us-east-1', '123456789012 eu-west-1', '123456789012 global']);
  });

  it('tells a change whose turn would come too late when to come again, and takes no token for it', async () => {
    let taken = 0;
    const lease: LeaseTokens = ({ wanted }) => {
      const granted = Date.now() < startedAtMs + 30_000 ? 0 : wanted;
      taken += granted;
      return Promise.resolve({ granted, nextMs: 30_000, askers: 1, workers: 1 });
    };
    const startedAtMs = Date.now();
    const pacer = createPacing({ lease })(place);
    const turn = pacer.turn({ ...change, key: 'op step ensure', latestAtMs: inMs(5_000) });
    expect(await outcomeOf(turn, 10)).toMatchObject({ code: 'THROTTLED', retryAfterMs: 28_000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(taken).toBe(0);
  });

  it('gives those who wait behind each other times that are apart by the rate', async () => {
    const pacer = createPacing()(place);
    await Promise.all(Array.from({ length: 17 }, () => pacer.turn(change)));
    const told = await Promise.all(
      [0, 1, 2, 3].map((n) =>
        pacer.turn({ ...change, key: `step ${n}`, since: n, latestAtMs: inMs(900) }).then(
          () => 0,
          (error: unknown) => (error as { retryAfterMs: number }).retryAfterMs,
        ),
      ),
    );
    // Each may come two seconds early, and no earlier than in one.
    expect(told).toEqual([1_000, 1_000, 1_000, 2_000]);
  });

  it('serves no call whose time is over, though a token has come meanwhile', async () => {
    let free = 0;
    let granted = 0;
    const lease: LeaseTokens = ({ wanted }) => {
      const given = Math.min(wanted, free);
      granted += given;
      return Promise.resolve({ granted: given, nextMs: 1_000, askers: 1, workers: 1 });
    };
    const pacer = createPacing({ lease })(place);
    const look: TurnRequest = { buckets: ['ecs-task-read'], isLook: true, latestAtMs: inMs(3_500) };
    const turn = pacer.turn(look);
    expect(await outcomeOf(turn, 3_400)).toBe('waits');
    expect(await outcomeOf(turn, 200)).toMatchObject({ code: 'THROTTLED' });
    free = 1;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(granted).toBe(0);
  });

  it('lets slow work get on as long as tokens are there', async () => {
    const pacer = createPacing()(place);
    const turn = pacer.turn({ ...change, latestAtMs: inMs(-2_000) });
    expect(await outcomeOf(turn, 10)).toBe('turn');
  });

  it('ends the wait of an aborted call and gives its turn to the next', async () => {
    const pacer = createPacing()(place);
    await Promise.all(Array.from({ length: 17 }, () => pacer.turn(change)));
    const controller = new AbortController();
    const aborted = pacer.turn({ ...change, since: 1, signal: controller.signal });
    const next = pacer.turn({ ...change, since: 2 });
    controller.abort(new Error('cancelled'));
    expect(await outcomeOf(aborted)).toMatchObject({ message: 'cancelled' });
    expect(await outcomeOf(next, 1_100)).toBe('turn');
  });

  it('asks for more than one token at a time, so that not every call is a round trip', async () => {
    let requests = 0;
    const lease: LeaseTokens = ({ wanted }) => {
      requests += 1;
      return Promise.resolve({ granted: wanted, nextMs: 0, askers: 1, workers: 1 });
    };
    const pacer = createPacing({ lease })(place);
    for (let n = 0; n < 100; n += 1) {
      const turn = pacer.turn({ buckets: ['ecs-task-read'], isLook: true });
      await vi.advanceTimersByTimeAsync(50);
      await turn;
    }
    expect(requests).toBeLessThan(30);
  });

  it('leaves changes a token while looks are many', async () => {
    const pacer = createPacing()(place);
    const looks = Array.from({ length: 200 }, () =>
      pacer.turn({ buckets: ['elbv2'], isLook: true }).catch(() => undefined),
    );
    await vi.advanceTimersByTimeAsync(2_000);
    const turn = pacer.turn({ buckets: ['elbv2', 'elbv2-mutating'], isLook: false });
    expect(await outcomeOf(turn, 10)).toBe('turn');
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all(looks);
  });
});

describe('while PostgreSQL does not answer', () => {
  const silent: LeaseTokens = () => new Promise(() => undefined);

  it('half of an even share of the rate is used, never more and never nothing', async () => {
    let isAway = false;
    const lease: LeaseTokens = (request) =>
      isAway
        ? silent(request)
        : Promise.resolve({ granted: Math.min(1, request.wanted), nextMs: 0, askers: 4, workers: 4 });
    const pacer = createPacing({ lease })(place);
    await pacer.turn(change);
    await vi.advanceTimersByTimeAsync(2_000);
    isAway = true;
    let served = 0;
    for (let n = 0; n < 60; n += 1)
      pacer.turn({ ...change, latestAtMs: inMs(300_000) }).then(
        () => (served += 1),
        () => undefined,
      );
    await vi.advanceTimersByTimeAsync(80_000);
    // One per second for four workers: an eighth of it is this one's.
    expect(served).toBeGreaterThanOrEqual(7);
    expect(served).toBeLessThanOrEqual(11);
  });

  it('what was used is told afterwards', async () => {
    let isAway = true;
    const spent: number[] = [];
    const lease: LeaseTokens = (request) => {
      if (isAway) return Promise.reject(new Error('away'));
      spent.push(request.spent);
      return Promise.resolve({ granted: request.wanted, nextMs: 0, askers: 1, workers: 1 });
    };
    const pacer = createPacing({ lease })(place);
    const turn = pacer.turn({ ...change, latestAtMs: inMs(300_000) });
    await vi.advanceTimersByTimeAsync(15_000);
    await turn;
    isAway = false;
    await vi.advanceTimersByTimeAsync(5_000);
    await pacer.turn(change);
    expect(spent[0]).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    await pacer.turn(change);
    expect(spent.slice(1).every((n) => n === 0)).toBe(true);
  });
});
