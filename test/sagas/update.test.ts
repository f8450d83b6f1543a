import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOfTenant } from '../../sandbox/inventory/selection.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { listSteps } from '../../src/db/steps.ts';
import { shapeDifference, shapeOf } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { caller } from '../../testing/caller.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

const EXTRA = 'create_log_group:extra';

/** Another environment and count of the backend, and one step more. */
function changed(steps: readonly Step[]): Step[] {
  const [logs] = steps.filter(({ id }) => id === 'create_log_group:backend');
  const extra = {
    ...logs!,
    id: EXTRA,
    spec: { ...logs!.spec, name: String(logs!.spec['name']).replace('backend', 'extra') },
  };
  return [
    ...steps.map((step) => {
      if (step.id === 'create_task_definition:backend')
        return withSpec(step, { logGroup: { ref: `${EXTRA}.name` } }, EXTRA);
      if (step.id === 'deploy_backend') return withSpec(step, { desiredCount: 2 });
      return step;
    }),
    extra,
  ];
}

function withSpec(step: Step, spec: object, ...needs: string[]): Step {
  return { ...step, needs: [...step.needs, ...needs], spec: { ...step.spec, ...spec } };
}

async function active(): Promise<Run> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return run;
}

/** What a tenant consists of, without what every deployment has anew: ids, addresses. */
async function shapeNow(run: Run): Promise<string[]> {
  const own = (await world.inventory()).filter(isOfTenant(run));
  return shapeOf(own, { id: run.tenantId, slug: run.slug });
}

async function stepsIn(run: Run, state: string): Promise<string[]> {
  const steps = await listSteps(world.database, run.tenantId);
  return steps.filter((step) => step.state === state).map(({ stepId }) => stepId);
}

describe.concurrent('an update of an active tenant', () => {
  it('changes what differs in its place, adds and drops steps, and leaves the rest alone', async () => {
    const atFirst = await world.inventory();
    const run = await active();
    const before = await shapeNow(run);
    let original: readonly Step[] = [];
    await world.change(run, (steps) => changed((original = steps)));
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'active',
      cleanupPending: false,
      operation: { type: 'update', state: 'succeeded' },
    });
    const after = shapeDifference(before, await shapeNow(run)).join('\n');
    expect(after).toMatch(/^\+ logs:log-group/m);
    expect(after).toMatch(/^\+ ecs:service .*desiredCount=2/m);
    expect(after).not.toMatch(/frontend/);

    await world.change(run, () => original);
    expect(await world.outcome(run)).toBe('active');
    expect(await stepsIn(run, 'removed')).toEqual([EXTRA]);
    const again = shapeDifference(before, await shapeNow(run));
    // The revision of the update before stays until the next one.
    expect(again.filter((line) => !line.startsWith('+ ecs:task-definition'))).toEqual([]);
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });

  const walked = ['create_task_definition:backend', 'deploy_backend', EXTRA];
  describe.each(['before', 'after'] as const)('that fails %s the effect of', (when) => {
    it.each(walked)('%s leaves the tenant as it was', async (stepId) => {
      const run = await active();
      const before = await shapeNow(run);
      world.injection.faults = [...world.injection.faults, { slug: run.slug, stepId, verb: 'ensure', when }];
      await world.change(run, changed);
      expect(await world.outcome(run)).toBe('INVALID_REQUEST');
      expect(await world.client.status(caller, run.tenantId)).toMatchObject({
        status: 'active',
        cleanupPending: false,
        operation: { type: 'update', state: 'rolled-back' },
        error: { stepId, code: 'INVALID_REQUEST' },
      });
      expect(shapeDifference(before, await shapeNow(run))).toEqual([]);
    });
  });
});
