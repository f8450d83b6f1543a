import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPacing } from '../../src/aws/pacing.ts';
import type { Database } from '../../src/db/database.ts';
import { sharedTokens, type LeaseTokens, type TokenRequest } from '../../src/db/rate-buckets.ts';
import { recordHeartbeat } from '../../src/db/worker-heartbeats.ts';
import { freshAccountId } from '../support/parts.ts';
import { useControlDatabase } from '../support/database.ts';

let db: Database;
useControlDatabase((opened) => {
  db = opened;
});

/** A bucket of an account of its own. */
function request(more: Partial<TokenRequest> = {}): TokenRequest {
  const buckets = [{ name: 'elbv2', capacity: 30, perSecond: 10, floor: 0 }];
  return { accountId: freshAccountId(), region: 'us-east-1', buckets, wanted: 1, spent: 0, ...more };
}

/** Sets the time at which the buckets of an account were filled back, as if that long had passed. */
async function pass(accountId: string, seconds: number): Promise<void> {
  await db.query(`update rate_buckets set refilled_at = refilled_at - $2 * interval '1 second' where account_id = $1`, [
    accountId,
    seconds,
  ]);
}

describe('leases of tokens', () => {
  it('of many processes at once are never more than there are', async () => {
    // So slow that nothing comes back meanwhile.
    const of = request({ buckets: [{ name: 'elbv2', capacity: 100, perSecond: 0.001, floor: 0 }], wanted: 7 });
    const workers = Array.from({ length: 8 }, () => sharedTokens(db));
    const grants = await Promise.all(Array.from({ length: 40 }, (_, n) => workers[n % 8]!(of)));
    expect(grants.reduce((sum, { granted }) => sum + granted, 0)).toBe(100);
  });

  it('come back with time, up to what the bucket holds', async () => {
    const of = request({ wanted: 100 });
    const lease = sharedTokens(db);
    expect((await lease(of)).granted).toBe(30);
    const after = await lease(of);
    expect(after.granted).toBe(0);
    expect(after.nextMs).toBeGreaterThan(0);
    expect(after.nextMs).toBeLessThanOrEqual(100);
    await pass(of.accountId, 2);
    expect((await lease({ ...of, wanted: 20 })).granted).toBe(20);
    await pass(of.accountId, 3_600);
    expect((await lease(of)).granted).toBe(30);
  });

  it('are taken from each of several buckets, or from none', async () => {
    const mutating = { name: 'elbv2-mutating', capacity: 2, perSecond: 0.001, floor: 0 };
    const all = { name: 'elbv2', capacity: 30, perSecond: 0.001, floor: 0 };
    const of = request({ buckets: [all, mutating], wanted: 5 });
    const lease = sharedTokens(db);
    expect((await lease(of)).granted).toBe(2);
    expect((await lease(of)).granted).toBe(0);
    expect((await lease({ ...of, buckets: [all], wanted: 100 })).granted).toBe(28);
  });

  it('leave a look no token below the floor', async () => {
    const look = request({ buckets: [{ name: 'elbv2', capacity: 30, perSecond: 0.001, floor: 8 }], wanted: 100 });
    const lease = sharedTokens(db);
    expect((await lease(look)).granted).toBe(22);
    expect((await lease({ ...look, buckets: [{ ...look.buckets[0]!, floor: 0 }] })).granted).toBe(8);
  });

  it('are apart by account, region and bucket', async () => {
    const of = request({ wanted: 30 });
    const lease = sharedTokens(db);
    expect((await lease(of)).granted).toBe(30);
    expect((await lease({ ...of, region: 'eu-west-1' })).granted).toBe(30);
    expect((await lease({ ...of, accountId: freshAccountId() })).granted).toBe(30);
  });

  it('are fewer by what was used in an outage', async () => {
    const of = request({ wanted: 10, buckets: [{ name: 'elbv2', capacity: 30, perSecond: 0.001, floor: 0 }] });
    const lease = sharedTokens(db);
    expect((await lease({ ...of, spent: 25 })).granted).toBe(5);
    expect((await lease(of)).granted).toBe(0);
  });

  it('give nothing for a clock that was set back, and go on from it', async () => {
    const of = request({ wanted: 30 });
    const lease = sharedTokens(db);
    await lease(of);
    await pass(of.accountId, -3_600);
    expect((await lease({ ...of, wanted: 1 })).granted).toBe(0);
    await pass(of.accountId, 1);
    expect((await lease(of)).granted).toBeGreaterThanOrEqual(10);
  });

  it('tell how many processes ask, and how many workers there are', async () => {
    const of = request();
    const [one, another] = [sharedTokens(db), sharedTokens(db)];
    expect((await one(of)).askers).toBe(1);
    expect(await another(of)).toMatchObject({ askers: 2, workers: 2 });
    for (const identity of ['a', 'b', 'c']) await recordHeartbeat(db, identity);
    expect((await one(of)).workers).toBe(3);
  });

  it('that a dead worker held come back: it loses that portion and no more', async () => {
    const of = request({ wanted: 30 });
    // It dies with all of them.
    expect((await sharedTokens(db)(of)).granted).toBe(30);
    await pass(of.accountId, 3);
    expect((await sharedTokens(db)(of)).granted).toBe(30);
  });
});

describe('pacers of several processes', () => {
  it('let no more calls through together than the bucket has, in any window', async () => {
    const place = { accountId: freshAccountId(), region: 'us-east-1' };
    const pacers = Array.from({ length: 5 }, () => createPacing({ lease: sharedTokens(db) })(place));
    const calledAtMs: number[] = [];
    const calls = Array.from({ length: 45 }, async (_, n) => {
      await sleep((n % 7) * 40);
      const { untilMs } = await pacers[n % 5]!.turn({ buckets: ['elbv2-mutating', 'elbv2'], isLook: false });
      expect(performance.now()).toBeLessThanOrEqual(untilMs);
      calledAtMs.push(performance.now());
    });
    await Promise.all(calls);
    // AWS: 20 at once, 3 more per second. Whatever the window, and however slow this machine.
    for (const [from, startMs] of calledAtMs.entries())
      for (const [to, endMs] of calledAtMs.entries())
        if (to >= from) expect(to - from + 1).toBeLessThanOrEqual(20 + ((endMs - startMs) / 1000) * 3 + 0.01);
    expect(calledAtMs).toHaveLength(45);
  });

  it('go on while PostgreSQL is unavailable, slower, and lease again when it is back', async () => {
    let isAway = false;
    let leased = 0;
    const shared = sharedTokens(db);
    const lease: LeaseTokens = async (of) => {
      if (isAway) throw new Error('away');
      const grant = await shared(of);
      leased += grant.granted;
      return grant;
    };
    const pacer = createPacing({ lease })({ accountId: freshAccountId(), region: 'us-east-1' });
    const look = { buckets: ['ecs-task-read'], isLook: true } as const;
    await pacer.turn(look);
    isAway = true;
    await sleep(2_100);
    const before = leased;
    await Promise.all([pacer.turn(look), pacer.turn(look), pacer.turn(look)]);
    expect(leased).toBe(before);
    isAway = false;
    await sleep(2_100);
    await pacer.turn(look);
    expect(leased).toBeGreaterThan(before);
  });
});
