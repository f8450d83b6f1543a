import {
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../src/contracts/blueprint.ts';
import { listSteps } from '../../src/db/steps.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
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

/** Of the templates: the cell allows no other. */
const repository = () => world.platform.cells[0]?.allowedImageRepositories[0] ?? '';

/** The backend's task definition, as AWS has it. */
async function definitionOf(run: Run) {
  const made = (await listSteps(world.database, run.tenantId)).find(
    ({ stepId }) => stepId === 'create_task_definition:backend',
  );
  const { accountId: accessKeyId = '', region = '' } = world.platform.cells[0] ?? {};
  const credentials = { accessKeyId, secretAccessKey: 'test' };
  const ecs = new ECSClient({ endpoint: world.gateway.url, region, credentials });
  const asked = new DescribeTaskDefinitionCommand({ taskDefinition: String(made?.outputs?.['arn']) });
  const { taskDefinition } = await ecs.send(asked);
  ecs.destroy();
  return taskDefinition;
}

async function withBackend<T>(
  run: Run,
  act: (ecs: ECSClient, service: { cluster: string; service: string }) => Promise<T>,
): Promise<T> {
  const made = (await listSteps(world.database, run.tenantId)).find(({ stepId }) => stepId === 'deploy_backend');
  const { accountId: accessKeyId = '', cluster = '', region = '' } = world.platform.cells[0] ?? {};
  const credentials = { accessKeyId, secretAccessKey: 'test' };
  const ecs = new ECSClient({ endpoint: world.gateway.url, region, credentials });
  try {
    return await act(ecs, { cluster, service: String(made?.outputs?.['name']) });
  } finally {
    ecs.destroy();
  }
}

/** How many tasks its backend is to have, as ECS says. */
function countOf(run: Run): Promise<number | undefined> {
  return withBackend(run, async (ecs, { cluster, service }) => {
    const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    return services[0]?.desiredCount;
  });
}

async function stepsIn(run: Run, state: string): Promise<string[]> {
  const steps = await listSteps(world.database, run.tenantId);
  return steps.filter((step) => step.state === state).map(({ stepId }) => stepId);
}

/** The last of the file: the templates are gone after it. */
function loseTemplates(): Promise<unknown> {
  const { cluster, region, accountId: accessKeyId, templateServices } = world.platform.cells[0]!;
  const services = Object.values(templateServices.moamalat!);
  Object.assign(templateServices.moamalat!, { backend: 'renamed', frontend: 'renamed-too' });
  const ecs = new ECSClient({
    endpoint: world.gateway.url,
    region,
    credentials: { accessKeyId, secretAccessKey: 'test' },
  });
  return Promise.all(services.map((service) => ecs.send(new DeleteServiceCommand({ cluster, service, force: true }))));
}

describe.concurrent('an update of an active tenant', () => {
  it('changes what differs in its place, adds and drops steps, and leaves the rest alone', async () => {
    const atFirst = await world.inventory();
    const run = await active();
    const before = await shapeNow(world, run);
    let original: readonly Step[] = [];
    await world.change(run, (steps) => changed((original = steps)));
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'active',
      cleanupPending: false,
      operation: { type: 'update', state: 'succeeded' },
    });
    const after = shapeDifference(before, await shapeNow(world, run)).join('\n');
    expect(after).toMatch(/^\+ logs:log-group/m);
    expect(after).toMatch(/^\+ ecs:service .*desiredCount=2/m);
    expect(after).not.toMatch(/frontend/);

    await world.change(run, () => original);
    expect(await world.outcome(run)).toBe('active');
    expect(await stepsIn(run, 'removed')).toEqual([EXTRA]);
    const again = shapeDifference(before, await shapeNow(world, run));
    // The revision of the update before stays until the next one.
    expect(again.filter((line) => !line.startsWith('+ ecs:task-definition'))).toEqual([]);
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });

  it('that is asked for does what its preview said, and one that fails leaves what was desired before', async () => {
    const run = await active();
    const image = `${repository()}@sha256:${'a'.repeat(64)}`;
    const settings = { services: { backend: { count: 2, cpu: 512, memory: 2_048, image } } };
    const preview = await world.client.previewChange(caller, run.tenantId, { settings });
    const before = await shapeNow(world, run);
    const accepted = await world.client.changeTenant(caller, run.tenantId, { settings });
    expect(await world.outcome(run)).toBe('active');
    const operationId = accepted.done ? undefined : accepted.accepted.operationId;
    const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
    const walked = events.filter((event) => event.operationId === operationId && event.type === 'step.started');
    const said = preview.steps.filter(({ becomes }) => becomes === 'change').map(({ stepId }) => stepId);
    expect(new Set(walked.map(({ stepId }) => stepId))).toEqual(new Set(said));
    const after = shapeDifference(before, await shapeNow(world, run)).join('\n');
    expect(await definitionOf(run)).toMatchObject({ cpu: '512', memory: '2048', containerDefinitions: [{ image }] });
    expect(after).toMatch(/^\+ ecs:service .*desiredCount=2/m);
    expect(after).not.toMatch(/frontend/);

    world.injection.faults = [
      ...world.injection.faults,
      { slug: run.slug, stepId: 'deploy_backend', verb: 'ensure', when: 'after' },
    ];
    const scaled = await world.client.scaleTenant(caller, run.tenantId, { service: 'backend', count: 3 });
    expect(scaled.done).toBe(false);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    expect(await world.client.get(caller, run.tenantId)).toMatchObject({ status: 'active', settings });
  });

  it.each(['before', 'after'] as const)(
    'that fails %s the effect of another count leaves what somebody scaled',
    async (when) => {
      const stepId = 'deploy_backend';
      const run = await active();
      await withBackend(run, (ecs, service) => ecs.send(new UpdateServiceCommand({ ...service, desiredCount: 3 })));
      world.injection.faults = [...world.injection.faults, { slug: run.slug, stepId, verb: 'ensure', when }];
      const settings = { services: { backend: { count: 2, cpu: 512, memory: 2_048 } } };
      for (let tries = 0; tries < 2; tries += 1) {
        await world.client.changeTenant(caller, run.tenantId, { settings });
        expect(await world.outcome(run)).toBe('INVALID_REQUEST');
        expect(await countOf(run)).toBe(3 + tries);
        // The next one must not go by what this one noted.
        await withBackend(run, (ecs, service) => ecs.send(new UpdateServiceCommand({ ...service, desiredCount: 4 })));
      }
      world.injection.faults = world.injection.faults.filter(({ slug }) => slug !== run.slug);
      await world.client.changeTenant(caller, run.tenantId, { settings });
      expect([await world.outcome(run), await countOf(run)]).toEqual(['active', 2]);
    },
  );

  const walked = ['create_task_definition:backend', 'deploy_backend', EXTRA];
  describe.each(['before', 'after'] as const)('that fails %s the effect of', (when) => {
    it.each(walked)('%s leaves the tenant as it was', async (stepId) => {
      const run = await active();
      const before = await shapeNow(world, run);
      world.injection.faults = [...world.injection.faults, { slug: run.slug, stepId, verb: 'ensure', when }];
      await world.change(run, changed);
      expect(await world.outcome(run)).toBe('INVALID_REQUEST');
      expect(await world.client.status(caller, run.tenantId)).toMatchObject({
        status: 'active',
        cleanupPending: false,
        operation: { type: 'update', state: 'rolled-back' },
        error: { stepId, code: 'INVALID_REQUEST' },
      });
      expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    });
  });
});

describe('an update whose templates were renamed and deleted', () => {
  it('fails, and leaves the tenant as it was', async () => {
    const run = await active();
    const before = await shapeNow(world, run);
    await loseTemplates();
    await world.change(run, changed);
    expect(await world.outcome(run)).toBe('OUTSIDE_CELL');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  });
});
