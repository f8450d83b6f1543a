import { DeleteServiceCommand, ECSClient } from '@aws-sdk/client-ecs';
import { DeleteRuleCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { listSteps } from '../../src/db/steps.ts';
import type { BlueprintRequest } from '../../src/products/product.ts';
import { NOTICE_STEP, stepsInMode } from '../../src/products/suspension.ts';
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

describe.concurrent('a tenant', () => {
  it('that is suspended answers with a notice and runs nothing; resumed it is as before', async () => {
    const atFirst = await world.inventory();
    const { run, host } = await active();
    const before = await shapeNow(world, run);
    const original = await suspend(run, host);
    expect(await world.outcome(run)).toBe('suspended');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'suspended',
      cleanupPending: false,
      operation: { type: 'suspend', state: 'succeeded' },
    });
    expect(await ask(host)).toMatchObject({ status: 503, body: expect.stringContaining('suspended') as unknown });
    expect(await tasksOf(run)).toEqual([]);

    await world.change(run, () => original, 'resume');
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject({ status: 200 });
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);

    await suspend(run, host);
    expect(await world.outcome(run)).toBe('suspended');
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });

  it.each([NOTICE_STEP, 'deploy_frontend'])('whose suspension fails at %s is active, and answers', async (stepId) => {
    const { run, host } = await active();
    const before = await shapeNow(world, run);
    fail(run, stepId);
    await suspend(run, host);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    expect(await ask(host)).toMatchObject({ status: 200 });
  });

  it('whose resumption fails stays suspended, with its notice', async () => {
    const { run, host } = await active();
    const original = await suspend(run, host);
    expect(await world.outcome(run)).toBe('suspended');
    fail(run, 'deploy_frontend');
    await world.change(run, () => original, 'resume');
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'suspended',
      cleanupPending: false,
    });
    expect(await ask(host)).toMatchObject({ status: 503 });
    expect(await tasksOf(run)).toEqual([]);
  });
});

/** The last of the file: the templates are gone after it. */
describe('a tenant that is resumed long after', () => {
  it('is as it was, though its templates are gone and its rule was deleted by hand', async () => {
    const { run, host } = await active();
    const before = await shapeNow(world, run);
    await world.client.changeMode(caller, run.tenantId, 'suspend', { reason: 'unpaid' });
    expect(await world.outcome(run)).toBe('suspended');
    await losePart(run);

    const preview = await world.client.previewMode(caller, run.tenantId, 'resume', {});
    expect(preview.steps).toContainEqual(
      expect.objectContaining({ stepId: 'create_alb_rule:backend', becomes: 'restore' }),
    );
    await world.client.changeMode(caller, run.tenantId, 'resume', {});
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    expect(await ask(host)).toMatchObject({ status: 200 });
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
  });
});

/** Its templates, by their own team; its rule, by somebody's hand. */
async function losePart(run: Run): Promise<void> {
  const cell = world.platform.cells[0]!;
  const { accountId: accessKeyId, region, cluster } = cell;
  const at = { endpoint: world.gateway.url, region, credentials: { accessKeyId, secretAccessKey: 'test' } };
  const [ecs, lb] = [new ECSClient(at), new ElasticLoadBalancingV2Client(at)] as const;
  for (const service of Object.values(cell.templateServices.moamalat!))
    await ecs.send(new DeleteServiceCommand({ cluster, service, force: true }));
  const rule = (await listSteps(world.database, run.tenantId)).find(
    ({ stepId }) => stepId === 'create_alb_rule:backend',
  );
  await lb.send(new DeleteRuleCommand({ RuleArn: String(rule?.outputs?.['arn']) }));
  for (const client of [ecs, lb]) client.destroy();
}

async function active(): Promise<{ run: Run; host: string }> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return { run, host: `${run.slug}.${world.platform.cells[0]!.domains.moamalat!}` };
}

/** @returns the steps that were applied before */
async function suspend(run: Run, host: string): Promise<readonly Step[]> {
  let original: readonly Step[] = [];
  const [loadBalancer] = world.platform.cells[0]!.loadBalancers;
  // Of the request only this is asked.
  const request = { mode: 'suspended', host, loadBalancer } as unknown as BlueprintRequest;
  await world.change(run, (steps) => stepsInMode(request, (original = steps)), 'suspend');
  return original;
}

function fail(run: Run, stepId: string): void {
  world.injection.faults = [...world.injection.faults, { slug: run.slug, stepId, verb: 'ensure', when: 'after' }];
}

function ask(host: string) {
  return askTenant(world.platform, host, '/api/health');
}

async function tasksOf(run: Run): Promise<string[]> {
  return (await shapeNow(world, run)).filter((line) => line.startsWith('ecs:task '));
}
