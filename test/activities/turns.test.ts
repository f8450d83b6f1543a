import { beforeEach, describe, expect, it } from 'vitest';
import { currentCallContext } from '../../src/aws/call-context.ts';
import { createPacing } from '../../src/aws/pacing.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import type { LeaseTokens } from '../../src/db/rate-buckets.ts';
import { listSteps } from '../../src/db/steps.ts';
import { seedTenant, setRunning, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
beforeEach(async () => {
  fake = new FakeKind();
  run = activityBench(db, fake);
  tenant = await seedTenant(db);
  await setRunning(db, tenant);
});

const call = () => ({ operationId: tenant.operationId, stepId: 'logs', generation: 1 });
const step = async () => (await listSteps(db, tenant.tenantId)).find((s) => s.stepId === 'logs');

/** What a kind's call does at AWS's rate limit, when a token comes in 30 s. */
async function drawnBucket(): Promise<void> {
  const lease: LeaseTokens = () => Promise.resolve({ granted: 0, nextMs: 30_000, askers: 1, workers: 1 });
  const { untilMs, signal, caller } = currentCallContext() ?? {};
  const pacer = createPacing({ lease })({ accountId: '123456789012', region: 'us-east-1' });
  const key = caller?.stepId;
  await pacer.turn({ buckets: ['logs-create'], isLook: false, latestAtMs: untilMs, signal, key, since: caller?.since });
}

const waits = { type: 'THROTTLED', nonRetryable: true, details: [{ code: 'THROTTLED', retryAfterMs: 28_000 }] };

describe('an attempt whose turn comes past its time', () => {
  it('ends at once, says when its turn comes, and is no failure of the step', async () => {
    fake.beforeEffect = drawnBucket;
    await expect(run('log-group.ensure', call())).rejects.toMatchObject(waits);
    expect(await step()).toMatchObject({ state: 'intended', failure: null, unclearUntil: null });
    expect((await step())?.detail).toContain("waits for its turn at AWS's rate limit (logs-create)");
    expect((await listEvents(db, tenant.tenantId)).map(({ type }) => type)).not.toContain('step.failed');
    expect(fake.made.size).toBe(0);
    fake.beforeEffect = () => Promise.resolve();
    expect(await run('log-group.ensure', call())).toMatchObject({ status: 'ready' });
  });

  it('at a removal likewise', async () => {
    await run('log-group.ensure', call());
    fake.removing = drawnBucket;
    await expect(run('log-group.remove', call())).rejects.toMatchObject(waits);
    expect(await step()).toMatchObject({ state: 'removing', failure: null });
    fake.removing = () => Promise.resolve();
    expect(await run('log-group.remove', call())).toMatchObject({ status: 'removed' });
  });

  it('is, of a look, one that saw nothing yet; past the deadline it is the look that is waited for', async () => {
    fake.outcome = 'pending';
    await run('log-group.ensure', call());
    fake.observe = async () => {
      await drawnBucket();
      return { status: 'ready', detail: 'seen' };
    };
    const observe = { ...call(), want: 'ready' as const };
    const pending = await run('log-group.observe', { ...observe, deadlineAtMs: Date.now() + 60_000 });
    expect(pending).toMatchObject({ status: 'pending', detail: expect.stringContaining('its turn') as string });
    const late = run('log-group.observe', { ...observe, deadlineAtMs: Date.now() - 1 });
    await expect(late).rejects.toMatchObject(waits);
    expect(await step()).toMatchObject({ state: 'present', failure: null });
  });
});
