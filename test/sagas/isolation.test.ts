import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import type { CallMatch, Fault } from '../../sandbox/gateway/gateway.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { ISOLATION_STEP, isolationWorkflowId } from '../../src/contracts/isolation.ts';
import { listLedger } from '../../src/db/ledger.ts';
import type { BlueprintRequest } from '../../src/products/product.ts';
import { stepsInMode } from '../../src/products/suspension.ts';
import { startIsolations } from '../../src/worker/isolations.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

describe.concurrent('an isolated tenant', () => {
  it('shows its notice while an update is open and after it, and is as it was once that is lifted', async () => {
    const { run, host } = await active();
    const before = await shapeNow(world, run);
    const held = world.gateway.addRule({
      match: { service: 'ecs', kind: 'change', contains: run.slug },
      fault: { type: 'throttle' },
      times: null,
    });
    await world.change(run, withTasks(2));
    await isolated(run, host);
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'updating',
      isolation: { state: 'on', wanted: true, reason: 'a breach', lastError: null },
    });
    world.gateway.removeRule(held);
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject(notice);

    await lifted(run, host);
    await world.change(run, withTasks(1));
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  });

  it('stays so through a suspension and a resumption, does not drift, and leaves nothing when it is deleted', async () => {
    const atFirst = await world.inventory();
    const { run, host } = await active();
    let original: readonly Step[] = [];
    const [loadBalancer] = world.platform.cells[0]!.loadBalancers;
    // Of the request only this is asked.
    const request = { mode: 'suspended', host, loadBalancer } as unknown as BlueprintRequest;
    await world.change(run, (steps) => stepsInMode(request, (original = steps)), 'suspend');
    expect(await world.outcome(run)).toBe('suspended');
    await isolated(run, host);
    await world.change(run, () => original, 'resume');
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject(notice);
    const look = await world.drift.lookAtTenant(caller, run.tenantId, AbortSignal.timeout(30_000));
    expect(look).toMatchObject({ outcome: 'none' });

    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
    expect((await world.client.get(caller, run.tenantId)).isolation).toBeNull();
    expect(await listLedger(world.database, run.tenantId)).toContainEqual(
      expect.objectContaining({ stepId: ISOLATION_STEP, state: 'removed', absentAt: expect.any(Date) as unknown }),
    );
    await expect(world.client.isolate(caller, run.tenantId, { reason: 'late' })).rejects.toMatchObject({
      code: 'TENANT_NOT_ISOLATABLE',
    });
  });

  it('whose creation is stuck shows its notice, which goes with all else when the rest is taken back', async () => {
    const atFirst = await world.inventory();
    const faults = (slug: string) => [
      { slug, stepId: 'deploy_frontend', verb: 'ensure', when: 'after' } as const,
      { slug, stepId: 'create_target_group:backend', verb: 'remove', when: 'before' } as const,
    ];
    const slug = `s-isolated-${Date.now().toString(36)}`;
    world.injection.faults = [...world.injection.faults, ...faults(slug)];
    const run = await world.provision('moamalat', 'rollback', slug);
    await world.until(run, 'stuck');
    await isolated(run, hostOf(run));
    expect((await world.client.status(caller, run.tenantId)).leftovers).toContainEqual(
      expect.objectContaining({ stepId: ISOLATION_STEP }),
    );
    world.injection.faults = world.injection.faults.filter((fault) => fault.slug !== slug);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    await expectNothingLeft(world, run, atFirst);
  });

  it('is what was wanted last, however quickly that changes', async () => {
    const { run, host } = await active();
    const { client } = world;
    for (const reason of ['first', 'second', 'third']) {
      await client.liftIsolation(caller, run.tenantId);
      await client.isolate(caller, run.tenantId, { reason });
    }
    await untilIsolation(run, 'on');
    expect((await client.get(caller, run.tenantId)).isolation).toMatchObject({ reason: 'third' });
    expect(await ask(host)).toMatchObject(notice);
    expect(await noticesOf(run)).toHaveLength(1);

    fail(run, { action: 'DeleteRule' }, [{ type: 'throttle' }, { type: 'cut', when: 'before' }]);
    await client.liftIsolation(caller, run.tenantId);
    await client.isolate(caller, run.tenantId, { reason: 'fourth' });
    await client.liftIsolation(caller, run.tenantId);
    await untilIsolation(run, undefined);
    expect(await ask(host)).toMatchObject({ status: 200 });
    expect(await noticesOf(run)).toEqual([]);
  });

  it('has one notice, whatever AWS answers; says why it is not in effect, and goes on trying', async () => {
    const { run, host } = await active();
    fail(run, { action: 'CreateRule' }, [{ type: 'error', when: 'before', code: 'AccessDenied', status: 403 }]);
    await world.client.isolate(caller, run.tenantId, { reason: 'a breach' });
    await untilIsolation(run, 'failed');
    expect((await world.client.get(caller, run.tenantId)).isolation).toMatchObject({
      wanted: true,
      lastError: { code: 'ACCESS_DENIED' },
    });
    fail(run, { action: 'CreateRule' }, [
      { type: 'throttle' },
      { type: 'error', when: 'before', code: 'ServiceUnavailable', status: 503 },
      { type: 'cut', when: 'after' },
    ]);
    // A further request does not wait for the next try.
    await isolated(run, host);
    expect((await world.client.get(caller, run.tenantId)).isolation).toMatchObject({ lastError: null });
    expect(await noticesOf(run)).toHaveLength(1);
  });
});

/** The last of the file: nothing of the product is accepted meanwhile. */
it('a tenant is isolated while all is frozen, and when its run was ended in Temporal before it did anything', async () => {
  const { run, host } = await active();
  await world.client.freeze(caller, { product: 'moamalat', reason: 'an incident' });
  await expect(world.client.changeMode(caller, run.tenantId, 'suspend', {})).rejects.toMatchObject({ code: 'FROZEN' });
  const match = { stepId: ISOLATION_STEP, action: 'DescribeRules' };
  const held = world.gateway.addRule({ match, fault: { type: 'throttle' }, times: null });
  await world.client.isolate(caller, run.tenantId, { reason: 'a breach' });
  await world.temporal.workflow.getHandle(isolationWorkflowId({ product: 'moamalat', slug: run.slug })).terminate();
  world.gateway.removeRule(held);
  expect((await world.client.get(caller, run.tenantId)).isolation).toMatchObject({ state: 'requested' });
  const { database, client } = world;
  while ((await client.get(caller, run.tenantId)).isolation?.state !== 'on') {
    await startIsolations({ database, client, log: pino({ level: 'silent' }) });
    await sleep(200);
  }
  expect(await ask(host)).toMatchObject(notice);
});

const notice = { status: 503, body: expect.stringContaining('temporarily unavailable') as unknown };

async function active(): Promise<{ run: Run; host: string }> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return { run, host: hostOf(run) };
}

function hostOf({ slug }: Run): string {
  return `${slug}.${world.platform.cells[0]!.domains.moamalat!}`;
}

function withTasks(desiredCount: number) {
  return (steps: readonly Step[]) =>
    steps.map((step) => (step.id === 'deploy_backend' ? { ...step, spec: { ...step.spec, desiredCount } } : step));
}

/** Each befalls one call for the notice of this tenant, in that order. */
function fail(run: Run, match: CallMatch, faults: readonly Fault[]): string[] {
  // A deletion names its rule alone.
  const about = match.action === 'CreateRule' ? { contains: run.slug } : {};
  const { addRule } = world.gateway;
  return faults.map((fault) => addRule({ match: { ...match, ...about, stepId: ISOLATION_STEP }, fault }));
}

async function isolated(run: Run, host: string): Promise<void> {
  await world.client.isolate(caller, run.tenantId, { reason: 'a breach' });
  await untilIsolation(run, 'on');
  expect(await ask(host)).toMatchObject(notice);
}

async function lifted(run: Run, host: string): Promise<void> {
  await world.client.liftIsolation(caller, run.tenantId);
  await untilIsolation(run, undefined);
  expect(await ask(host)).toMatchObject({ status: 200 });
}

async function untilIsolation(run: Run, state: string | undefined): Promise<void> {
  const end = Date.now() + 90_000;
  for (;;) {
    const { isolation } = await world.client.get(caller, run.tenantId);
    if (isolation?.state === state) return;
    if (Date.now() > end) throw new Error(`the isolation is not ${state}: ${JSON.stringify(isolation)}`);
    await sleep(100);
  }
}

async function noticesOf({ tenantId }: Run) {
  const items = await world.inventory();
  return items.filter(
    ({ tags }) => tags?.['tenantry:tenant-id'] === tenantId && tags['tenantry:step'] === ISOLATION_STEP,
  );
}

function ask(host: string) {
  return askTenant(world.platform, host, '/api/health');
}
