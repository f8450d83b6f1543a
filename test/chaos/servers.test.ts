import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signalDescendants } from '../../sandbox/parts/process-tree.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { expectLikeBefore, inventoryOf, type Inventory } from './process-inventory.ts';
import { recordResult } from './results.ts';
import { expectAnswering } from './tenant-address.ts';
import { explained } from './tenant-report.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Every server that the product stands on goes away while one tenant is being made and another is being taken back: the
 * first becomes active all the same, of the second nothing is left.
 */
const isShort = process.env.CHAOS_SHORT === '1';

let world: ProcessWorld;
let worker: WorkerProcess;
let before: Inventory;
beforeAll(async () => {
  world = await startProcessWorld({ durableTemporal: true, time: 'demo' });
  worker = await world.startWorker();
  await worker.untilReady();
  before = await inventoryOf(world);
});
afterAll(() => world.stop());

interface Outage {
  readonly name: string;
  /** Short enough for every run. */
  readonly isBrief?: true;
  readonly happen: () => Promise<void>;
}

const outages: readonly Outage[] = [
  { name: 'Temporal is killed and started again', isBrief: true, happen: () => world.temporal.restart({ kill: true }) },
  {
    name: 'PostgreSQL is killed and started again',
    isBrief: true,
    happen: () => world.postgres.restart({ kill: true }),
  },
  {
    name: 'PostgreSQL is silent for 20 s',
    happen: () => meanwhile(20_000, world.postgres.pause, world.postgres.resume),
  },
  {
    name: 'the connection to Temporal is cut for 15 s',
    happen: () =>
      meanwhile(
        15_000,
        async () => world.wire.cut(),
        async () => world.wire.fix(),
      ),
  },
  {
    name: 'AWS is silent for 15 s',
    happen: () =>
      meanwhile(
        15_000,
        () => signalDescendants(world.ministack.pid, 'SIGSTOP'),
        () => signalDescendants(world.ministack.pid, 'SIGCONT'),
      ),
  },
];

const ends = ['succeeded', 'cancelled', 'rolled-back', 'holding', 'stuck'];

async function meanwhile(durationMs: number, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
  await begin();
  try {
    await sleep(durationMs);
  } finally {
    await end();
  }
}

describe('a server goes away in mid-provisioning and in mid-rollback', () => {
  const chosen = outages.filter(({ isBrief }) => isBrief ?? !isShort);
  it.each(chosen.map((outage, n) => [outage.name, outage, n] as const))('%s', async (name, outage, n) => {
    // Neither ends before its time, however slow the machine is.
    world.gateway.setTime({ dnsSyncMs: 20_000 });
    const rolledBack = await world.create(`back-${n}`, 'rollback');
    await untilDone(rolledBack, 8);
    const made = await world.create(`made-${n}`);
    await explained(world, [rolledBack, made], async () => {
      await untilDone(made, 3);
      await world.api.cancel(rolledBack.tenantId);
      await world.until(rolledBack, ['rolling-back'], 60_000);
      expect((await world.api.status(made.tenantId)).operation.state).toBe('running');
      const startedAt = Date.now();
      await outage.happen();
      const outageMs = Date.now() - startedAt;
      expect((await world.until(made, ['running', ...ends])).operation.state).toBe('running');
      world.gateway.setTime('demo');
      const active = await world.until(made, ends, 180_000);
      expect(active).toMatchObject({ status: 'active', operation: { state: 'succeeded' } });
      const gone = await world.until(rolledBack, ends, 180_000);
      expect(gone).toMatchObject({ cleanupPending: false, operation: { state: 'cancelled' } });
      const tookMs = Date.now() - startedAt;
      await expectAnswering(world, made);
      const deletion = await world.delete(made);
      expect(await world.until(deletion, ['succeeded', 'stuck'])).toMatchObject({ status: 'deleted' });
      await expectLikeBefore(world, before);
      expect(worker.child.running()).toBe(true);
      recordResult('server', { case: name, outageMs, tookMs, outcome: 'one active, one wholly gone' });
    });
  });
});

async function untilDone(tenant: Tenant, steps: number): Promise<void> {
  await expect
    .poll(async () => (await world.api.status(tenant.tenantId)).stepsDone.length, { timeout: 30_000, interval: 20 })
    .toBeGreaterThanOrEqual(steps);
}

describe('two workers', () => {
  it('share the work on every tenant', async () => {
    const other = await world.startWorker();
    await other.untilReady();
    const from = world.gateway.calls().at(-1)?.seq ?? 0;
    const tenants = await Promise.all([1, 2, 3].map((n) => world.create(`shared-${n}`)));
    await explained(world, tenants, async () => {
      for (const tenant of tenants)
        expect(await world.until(tenant, ['succeeded', 'holding'])).toMatchObject({ status: 'active' });
      for (const tenant of tenants) await expectAnswering(world, tenant);
      const deletions = await Promise.all(tenants.map((tenant) => world.delete(tenant)));
      for (const deletion of deletions)
        expect(await world.until(deletion, ['succeeded', 'stuck'])).toMatchObject({ status: 'deleted' });
      const changes = world.gateway.calls(from).filter(({ kind, caller }) => kind === 'change' && caller.stepId);
      const share = (app: string) => changes.filter(({ caller }) => caller.app === app).length;
      expect(share(worker.app)).toBeGreaterThan(0);
      expect(share(other.app)).toBeGreaterThan(0);
      await expectLikeBefore(world, before);
      recordResult('server', { case: 'two workers', changes: [share(worker.app), share(other.app)] });
    });
    await other.stopInOrder();
  });
});
