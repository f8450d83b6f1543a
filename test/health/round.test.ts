import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { readTenant } from '../../src/client/reading.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findOperation } from '../../src/db/operations.ts';
import { measureHealth } from '../../src/db/tenant-health.ts';
import { createRounds, type HealthDeps, type RoundControl } from '../../src/health/round.ts';
import { RESULTS_THAT_COUNT } from '../../src/contracts/health.ts';
import { accept, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activeTenants, cellOf, move, startFront, type Behavior, type Front } from './tenants.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

type Line = Record<string, unknown>;
let lines: Line[];
let fronts: [Front, Front];
let tenants: Seeded[];
let deps: HealthDeps;
let lookAtCell: ReturnType<typeof createRounds>;
beforeAll(async () => {
  // The SDK takes a while to load, which is no part of a look.
  createAwsForPlatform({ version: 1, cells: [] }).destroy();
});
beforeEach(async () => {
  lines = [];
  tenants = [];
  fronts = [await startFront(), await startFront()];
  const platform = { version: 1, cells: [cellOf(fronts)] } as const;
  // Nobody is there: what AWS would say of a failure is left out.
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const aws = createAwsForPlatform(platform, { endpointUrl: 'http://127.0.0.1:9', credentials });
  deps = {
    ...{ database: db, platform, aws, kinds: createKindRegistry(builtInKinds), products: {} },
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) }),
    times: { answerWithinMs: 3_000 },
  };
  lookAtCell = createRounds(deps);
});
afterEach(async () => {
  await Promise.all(fronts.map((front) => front.close()));
  await move(db, tenants, 'deleting', 'deleted');
});

let counter = 0;
async function tenantsThat(behavior: Behavior, count: number, loadBalancer: 0 | 1 = 0): Promise<Seeded[]> {
  const slugs = Array.from({ length: count }, () => `h-${(counter += 1)}`);
  for (const slug of slugs) fronts[loadBalancer].behaviors.set(slug, behavior);
  const made = await activeTenants(db, slugs, loadBalancer);
  tenants.push(...made);
  return made;
}
const tenantThat = async (behavior: Behavior) => (await tenantsThat(behavior, 1))[0]!;

/** Rounds are named by when they begin. */
let clock = Date.now();
const nextRound = () => ({ cell: 'default', round: new Date((clock += 60_000)).toISOString() });
const alone: RoundControl = { signal: new AbortController().signal, onProgress: () => undefined };
async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await lookAtCell(nextRound(), alone);
}

const healthOf = async ({ tenantId }: Seeded) => (await readTenant(db, tenantId)).health;
const toldOf = async ({ tenantId }: Seeded) =>
  (await listEvents(db, tenantId)).filter(({ type }) => type === 'tenant.health').map(({ data }) => data);
const alerts = () => lines.filter(({ alert }) => alert !== undefined);
const setState = (operationId: string, state: string) =>
  db.query(
    `update operations set state = $2, updated_at = now(), claimed_at = case when $2 <> 'accepted' then now() end
     where id = $1`,
    [operationId, state],
  );
const resultsOf = async ({ tenantId }: Seeded) =>
  (await db.query<{ result: string; results: number }>('select * from tenant_health where tenant_id = $1', [tenantId]))
    .rows[0];

describe('a tenant', () => {
  it('that answers is healthy at once, which is an event and no alert', async () => {
    const tenant = await tenantThat(200);
    expect(await healthOf(tenant)).toBeNull();
    await rounds(3);
    expect(await healthOf(tenant)).toMatchObject({ status: 'healthy', reason: null });
    expect(await toldOf(tenant)).toEqual([{ from: null, to: 'healthy', reason: null }]);
    expect(lines).toEqual([]);
  });

  it('that answers with errors is unhealthy after three looks, with one alert, and back after three', async () => {
    const tenant = await tenantThat(200);
    await rounds(1);
    fronts[0].behaviors.set(tenant.slug, 503);
    await rounds(RESULTS_THAT_COUNT - 1);
    expect(await healthOf(tenant)).toMatchObject({ status: 'healthy' });
    await rounds(2);
    const reason = 'deploy_backend: it answers 503; deploy_frontend: it answers 503';
    expect(await healthOf(tenant)).toMatchObject({ status: 'unhealthy', reason });
    expect(alerts()).toMatchObject([{ alert: 'tenant-unhealthy', tenantId: tenant.tenantId, reason }]);
    fronts[0].behaviors.set(tenant.slug, 200);
    await rounds(RESULTS_THAT_COUNT);
    expect(await healthOf(tenant)).toMatchObject({ status: 'healthy', reason: null });
    expect((await toldOf(tenant)).map(({ to }) => to)).toEqual(['healthy', 'unhealthy', 'healthy']);
    expect(alerts()).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ from: 'unhealthy', to: 'healthy' });
  });

  it('that fails every other time never counts as another', async () => {
    const tenant = await tenantThat(200);
    for (const status of [200, 503, 503, 200, 503, 503, 200]) {
      fronts[0].behaviors.set(tenant.slug, status);
      await rounds(1);
    }
    expect(await toldOf(tenant)).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it('of which only what is not critical fails is degraded', async () => {
    lookAtCell = createRounds({ ...deps, products: { moamalat: { criticalSteps: ['deploy_backend'] } } });
    const tenant = await tenantThat(200);
    fronts[0].behaviors.set(`${tenant.slug}/`, 500);
    await rounds(RESULTS_THAT_COUNT);
    const reason = 'deploy_frontend: it answers 500';
    expect(await healthOf(tenant)).toMatchObject({ status: 'degraded', reason });
    expect(alerts()).toEqual([]);
  });

  it('that an operation is at work on is not looked at, and its health is unknown until then', async () => {
    const tenant = await tenantThat(200);
    await rounds(1);
    const before = await healthOf(tenant);
    fronts[0].behaviors.set(tenant.slug, 503);
    const { tenantId, slug } = tenant;
    const operationId = await accept(db, { tenantId, slug, type: 'update', blueprint: {} });
    await setState(operationId, 'running');
    await move(db, [tenant], 'updating');
    await rounds(4);
    const { updatedAt } = (await findOperation(db, operationId))!;
    expect(await healthOf(tenant)).toMatchObject({
      ...{ status: 'unknown', since: updatedAt.toISOString(), lookedAt: before?.lookedAt },
      reason: expect.stringContaining('before it, the tenant was healthy') as unknown,
    });
    await db.query(`update operations set state = 'rolled-back', closed_at = now() where id = $1`, [operationId]);
    await move(db, [tenant], 'active');
    // It is not passed off as what is so now.
    const { closedAt } = (await findOperation(db, operationId))!;
    expect(await healthOf(tenant)).toEqual({ ...before, outdatedSince: closedAt?.toISOString() });
    await rounds(1);
    expect(await healthOf(tenant)).toMatchObject({ outdatedSince: null });
  });

  it.each(['accepted', 'holding', 'stuck'])(
    'on whose change nobody is at work is looked at as before: it is %s',
    async (state) => {
      const tenant = await tenantThat(200);
      await rounds(1);
      const { tenantId, slug } = tenant;
      const operationId = await accept(db, { tenantId, slug, type: 'update', blueprint: {} });
      await setState(operationId, state);
      if (state !== 'accepted') await move(db, [tenant], 'updating');
      await rounds(1);
      expect(await healthOf(tenant)).toMatchObject({ status: 'healthy', outdatedSince: null });
      fronts[0].behaviors.set(slug, 503);
      await rounds(RESULTS_THAT_COUNT);
      expect(await healthOf(tenant)).toMatchObject({ status: 'unhealthy' });
    },
  );

  it('that was unhealthy and answers says when its reason was so, and what the last look found', async () => {
    const tenant = await tenantThat(404);
    await rounds(RESULTS_THAT_COUNT);
    const unhealthy = await healthOf(tenant);
    expect(unhealthy).toMatchObject({ reasonAt: unhealthy?.since, lastLook: { status: 'unhealthy', inARow: 3 } });
    fronts[0].behaviors.set(tenant.slug, 200);
    await rounds(1);
    const now = await healthOf(tenant);
    expect(now).toMatchObject({
      ...{ status: 'unhealthy', reason: unhealthy?.reason, reasonAt: unhealthy?.since },
      lastLook: { status: 'healthy', inARow: 1, needed: RESULTS_THAT_COUNT },
    });
    expect(now?.lookedAt).not.toBe(now?.reasonAt);
  });

  it('whose deletion waits for the end of its grace period is looked at as before, until that removes something', async () => {
    const tenant = await tenantThat(200);
    await rounds(1);
    const { tenantId, slug } = tenant;
    const operationId = await accept(db, { tenantId, slug, type: 'deprovision', blueprint: {}, graceMs: 3_600_000 });
    await move(db, [tenant], 'deleting');
    fronts[0].behaviors.set(slug, 503);
    await rounds(RESULTS_THAT_COUNT);
    expect(await healthOf(tenant)).toMatchObject({ status: 'unhealthy' });
    expect(alerts()).toMatchObject([{ alert: 'tenant-unhealthy', tenantId }]);
    expect((await measureHealth(db, ['default'])).tenants).toMatchObject({ unhealthy: 1 });
    await db.query(`update operations set state = 'committing', committed_at = now() where id = $1`, [operationId]);
    const asked = fronts[0].asked.length;
    await rounds(1);
    expect(fronts[0].asked).toHaveLength(asked);
    expect(await healthOf(tenant)).toBeNull();
  });

  it('whose applied blueprint cannot be read is unknown, and the others are looked at', async () => {
    const [broken, other] = await tenantsThat(200, 2);
    await db.query(`update operations set blueprint = blueprint || '{"later": true}' where tenant_id = $1`, [
      broken!.tenantId,
    ]);
    await rounds(RESULTS_THAT_COUNT);
    const reason = expect.stringMatching(/blueprint cannot be read: .*later/) as unknown;
    expect(await healthOf(broken!)).toMatchObject({ status: 'unknown', reason });
    expect(await healthOf(other!)).toMatchObject({ status: 'healthy' });
  });

  it('whose look fails does not end the looks at the others', async () => {
    const [failing, other] = await tenantsThat(200, 2);
    const broken = new Proxy(db, {
      get: (target, name: keyof Database) =>
        name === 'transaction'
          ? (work: Parameters<Database['transaction']>[0]) =>
              target.transaction(async (tx) => {
                const answer = await work(tx);
                const { rows } = await tx.query('select from tenant_health where tenant_id = $1', [failing!.tenantId]);
                if (rows.length > 0) throw new TypeError('a row that nobody can read');
                return answer;
              })
          : target[name],
    });
    lookAtCell = createRounds({ ...deps, database: broken });
    expect(await lookAtCell(nextRound(), alone)).toMatchObject({ looked: 1, left: 1 });
    expect(await healthOf(other!)).toMatchObject({ status: 'healthy' });
    expect(lines).toMatchObject([{ tenantId: failing!.tenantId, msg: 'the look at a tenant failed' }]);
  });

  it('on which an operation begins while it is asked keeps its health', async () => {
    const tenant = await tenantThat(503);
    await rounds(RESULTS_THAT_COUNT - 1);
    const { tenantId, slug } = tenant;
    let accepted: Promise<unknown> | undefined;
    fronts[0].behaviors.set(slug, async () => {
      await (accepted ??= accept(db, { tenantId, slug, type: 'update', blueprint: {} }).then((id) =>
        setState(id, 'running'),
      ));
      return 503;
    });
    await rounds(1);
    expect(await healthOf(tenant)).toBeNull();
    expect(await resultsOf(tenant)).toMatchObject({ results: RESULTS_THAT_COUNT - 1 });
    expect(lines).toEqual([]);
  });

  it('that is suspended has no health, and begins anew afterwards', async () => {
    const tenant = await tenantThat(200);
    await rounds(1);
    await move(db, [tenant], 'suspending', 'suspended');
    expect(await healthOf(tenant)).toBeNull();
    await rounds(1);
    expect(await resultsOf(tenant)).toBeUndefined();
    await move(db, [tenant], 'resuming', 'active');
    await rounds(1);
    expect(await healthOf(tenant)).toMatchObject({ status: 'healthy' });
  });
});

describe('a load balancer that answers nobody', () => {
  it('makes the health of its tenants unknown with one alert, and that of no other', async () => {
    const behind = await tenantsThat(200, 3, 1);
    const beside = await tenantThat(200);
    await rounds(1);
    await fronts[1].close();
    await rounds(RESULTS_THAT_COUNT);
    for (const tenant of behind) expect(await healthOf(tenant)).toMatchObject({ status: 'unknown' });
    expect(await healthOf(beside)).toMatchObject({ status: 'healthy' });
    const { arn } = deps.platform.cells[0]!.loadBalancers[1]!;
    expect(alerts()).toMatchObject([{ alert: 'load-balancer-unreachable', loadBalancerArn: arn }]);
  });

  it('is told from a tenant that hangs', async () => {
    lookAtCell = createRounds({ ...deps, times: { answerWithinMs: 300 } });
    const tenant = await tenantThat('hangs');
    // A round in which this process has too much to do says nothing.
    await expect.poll(async () => (await rounds(1), (await healthOf(tenant))?.status)).toBe('unhealthy');
    expect((await healthOf(tenant))?.reason).toContain('no answer within 300 ms');
  });
});

describe('a round', () => {
  it('that is cut off and repeated counts each tenant once', async () => {
    lookAtCell = createRounds({ ...deps, times: { answerWithinMs: 1_000 } });
    const answering = await tenantsThat(503, 5);
    const hanging = await tenantThat('hangs');
    const cut = new AbortController();
    const round = nextRound();
    const done: number[] = [];
    const first = lookAtCell(round, {
      signal: cut.signal,
      onProgress: (n) => {
        done.push(n);
        if (n === answering.length) cut.abort(new Error('the worker ends'));
      },
    });
    await expect(first).rejects.toThrow('the worker ends');
    expect(await resultsOf(hanging)).toBeUndefined();
    await lookAtCell(round, alone);
    await lookAtCell(round, alone);
    for (const tenant of [...answering, hanging]) expect(await resultsOf(tenant)).toMatchObject({ results: 1 });
  });

  it('of 200 tenants that hang delays the others by their time-outs only', async () => {
    lookAtCell = createRounds({ ...deps, times: { answerWithinMs: 1_000 } });
    await tenantsThat('hangs', 200);
    const others = await tenantsThat(200, 20);
    const began = performance.now();
    await rounds(1);
    const slugs = new Set(others.map(({ slug }) => slug));
    const latest = Math.max(...fronts[0].asked.filter(({ slug }) => slugs.has(slug)).map(({ atMs }) => atMs));
    // 50 are asked at a time: four time-outs at worst, and what 440 TLS handshakes take beside them.
    expect(latest - began).toBeLessThan(10_000);
    // One whose answer a busy machine missed is unknown, and nobody is taken for down.
    for (const tenant of others) expect((await resultsOf(tenant))?.result).toMatch(/^(healthy|unknown)$/);
  });

  it('whose time is over leaves the rest to the next one, which begins with them', async () => {
    const all = await tenantsThat(200, 120);
    lookAtCell = createRounds({ ...deps, times: { roundMs: 0 } });
    expect(await lookAtCell(nextRound(), alone)).toMatchObject({ looked: 0, left: all.length });
    lookAtCell = createRounds(deps);
    expect(await lookAtCell(nextRound(), alone)).toMatchObject({ looked: all.length, left: 0 });
    expect((await measureHealth(db, ['default'])).oldestLooks[0]?.ageMs).toBeLessThan(30_000);
  });
});
