import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { copyBuild, type BuildCopy } from './build-copy.ts';
import { expectLikeBefore, inventoryOf, type Inventory } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { recordResult } from './results.ts';
import { expectAnswering } from './tenant-address.ts';
import { explained } from './tenant-report.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * A release as our users make it: a worker of the next build starts, the one before gets SIGTERM, and every run goes on
 * under the next build, also one that holds for it. The next build waits a moment more before each first look, behind
 * `patched`: its workflow code issues other commands.
 */
const mark = 'a-moment-more';
const change = [
  {
    file: 'src/workflows/executor/poll.ts',
    find: "import { sleep } from '@temporalio/workflow';",
    replace: "import { patched, sleep } from '@temporalio/workflow';",
  },
  {
    file: 'src/workflows/executor/poll.ts',
    find: 'await pause(firstLookMs(profile), `${step.id}: first look`);',
    replace: `await pause(firstLookMs(profile), \`\${step.id}: first look\`);
  if (patched('${mark}')) await pause(1_000, \`\${step.id}: a moment more\`);`,
  },
];
const ends = ['succeeded', 'rolled-back', 'stuck'];

let world: ProcessWorld;
let before: Inventory;
let next: BuildCopy;
const workers: WorkerProcess[] = [];
beforeAll(async () => {
  next = copyBuild(change);
  world = await startProcessWorld({ time: 'demo' });
  // Its workflow bundle is built at its first start: a release brings it along.
  const first = await start(next.directory);
  await first.untilReady();
  await first.stopInOrder();
  before = await inventoryOf(world);
});
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.stopInOrder())));
afterAll(async () => {
  await world.stop();
  next.remove();
});

async function start(source?: string): Promise<WorkerProcess> {
  const worker = await world.startWorker({ source });
  workers.push(worker);
  return worker;
}

describe('the next build', () => {
  it('takes over what the one before began, at every stage, without a failed workflow task', async () => {
    // Nobody is through before the release is.
    world.gateway.setTime({ dnsSyncMs: 20_000 });
    const old = await start();
    await old.untilReady();
    const held = await holdingTenant();
    const successor = await start(next.directory);
    const begun = await tenantsAtManyStages();
    const all = [held, ...begun];
    await explained(world, all, async () => {
      await successor.untilReady();
      const stages = await Promise.all(begun.map(({ tenantId }) => world.api.status(tenantId)));
      await old.stopInOrder();
      expect(await old.child.exited).toEqual({ code: 0, signal: null });
      expect(stages.map(({ operation }) => operation.state)).toEqual(begun.map(() => 'running'));
      world.gateway.setTime('demo');
      await world.api.retry(held.tenantId);
      for (const tenant of all) expect(await world.until(tenant, ends)).toMatchObject({ status: 'active' });
      for (const tenant of all) await expectAnswering(world, tenant);
      const runs = await Promise.all(all.map(runOf));
      expect(runs.flatMap(({ failedTasks }) => failedTasks)).toEqual([]);
      expect(runs.flatMap(({ timedOutActivities }) => timedOutActivities)).toEqual([]);
      const taken = all.filter((tenant) => {
        const apps = new Set(callersOf(tenant));
        return apps.has(old.app) && apps.has(successor.app);
      });
      expect(taken.length).toBeGreaterThanOrEqual(3);
      expect(runs.filter(({ marks }) => marks > 0).length).toBeGreaterThan(0);
      recordResult('server', {
        case: 'a worker rolls to the next build',
        tenants: all.length,
        takenOver: taken.length,
        underNewCode: runs.filter(({ marks }) => marks > 0).length,
        failedWorkflowTasks: 0,
        outcome: 'all active',
      });
      for (const tenant of await Promise.all(all.map((t) => world.delete(t))))
        expect(await world.until(tenant, ends)).toMatchObject({ status: 'deleted' });
      await expectLikeBefore(world, before);
    });
  });

  it.skipIf(process.env.CHAOS_SHORT === '1')(
    'is awaited by its own runs when the release is taken back, and they finish once it is there again',
    async () => {
      world.gateway.setTime({ dnsSyncMs: 12_000 });
      const successor = await start(next.directory);
      await successor.untilReady();
      const marked = await world.create('marked');
      await explained(world, [marked], async () => {
        await expect.poll(async () => (await runOf(marked)).marks, { timeout: 30_000 }).toBeGreaterThan(0);
        const old = await start();
        await old.untilReady();
        await successor.stopInOrder();
        const unmarked = await world.create('unmarked');
        // The old code cannot read on, and says so; it touches nothing.
        await expect.poll(async () => (await runOf(marked)).failedTasks, { timeout: 40_000 }).not.toEqual([]);
        expect((await runOf(marked)).failedTasks.join()).toContain(`NON_DETERMINISTIC_ERROR`);
        expect(await world.until(unmarked, ends)).toMatchObject({ status: 'active' });
        expect(await world.api.status(marked.tenantId)).toMatchObject({ operation: { state: 'running' } });
        const again = await start(next.directory);
        await again.untilReady();
        await old.stopInOrder();
        expect(await world.until(marked, ends)).toMatchObject({ status: 'active' });
        await expectAnswering(world, marked);
        recordResult('server', {
          case: 'a release is taken back and made again',
          outcome: 'its run waits, then is active',
        });
        for (const tenant of await Promise.all([marked, unmarked].map((t) => world.delete(t))))
          expect(await world.until(tenant, ends)).toMatchObject({ status: 'deleted' });
        await expectLikeBefore(world, before);
      });
    },
  );
});

/** One that failed under the old build and waits for an operator, with its cause fixed. */
async function holdingTenant(): Promise<Tenant> {
  const denied = { type: 'error', when: 'before', code: 'AccessDeniedException' } as const;
  world.gateway.addRule({ match: { action: 'CreateService', stepId: 'deploy_frontend' }, fault: denied });
  const tenant = await world.create('held');
  await world.until(tenant, ['holding', ...ends]);
  return tenant;
}

async function tenantsAtManyStages(): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let n = 1; n <= 4; n += 1) {
    tenants.push(await world.create(`begun-${n}`));
    await sleep(1_000);
  }
  return tenants;
}

function callersOf({ operationId }: Tenant): (string | undefined)[] {
  return world.gateway
    .calls()
    .filter(({ caller }) => caller.operationId === operationId)
    .map(({ caller }) => caller.app);
}

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** What Temporal's history tells of a tenant's run. */
async function runOf({ workflowId }: Tenant) {
  const events = await world.historyOf(workflowId);
  const of = (type: keyof typeof EventType) => events.filter((event) => event.eventType === EventType[type]);
  return {
    failedTasks: of('EVENT_TYPE_WORKFLOW_TASK_FAILED').map((event) => {
      const { cause, failure } = event.workflowTaskFailedEventAttributes ?? {};
      return `${WorkflowTaskFailedCause[cause ?? 0]}: ${failure?.message}`;
    }),
    timedOutActivities: of('EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT').map((event) => String(event.eventId)),
    /** How often the new code was chosen. */
    marks: of('EVENT_TYPE_MARKER_RECORDED').length,
  };
}
