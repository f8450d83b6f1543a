import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
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
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'updating' });
    world.gateway.removeRule(held);
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject(notice);
    expect((await world.client.get(caller, run.tenantId)).isolation).toMatchObject({ state: 'on', reason: 'a breach' });

    await lifted(run, host);
    await world.change(run, withTasks(1));
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  });
});

function withTasks(desiredCount: number) {
  return (steps: readonly Step[]) =>
    steps.map((step) => (step.id === 'deploy_backend' ? { ...step, spec: { ...step.spec, desiredCount } } : step));
}

const notice = { status: 503, body: expect.stringContaining('temporarily unavailable') as unknown };

async function active(): Promise<{ run: Run; host: string }> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return { run, host: hostOf(run) };
}

function hostOf({ slug }: Run): string {
  return `${slug}.${world.platform.cells[0]!.domains.moamalat!}`;
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
  const end = Date.now() + 30_000;
  for (;;) {
    const { isolation } = await world.client.get(caller, run.tenantId);
    if (isolation?.state === state) return;
    if (Date.now() > end) throw new Error(`the isolation is not ${state}: ${JSON.stringify(isolation)}`);
    await sleep(100);
  }
}

function ask(host: string) {
  return askTenant(world.platform, host, '/api/health');
}
