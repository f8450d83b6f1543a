import { randomUUID } from 'node:crypto';
import { CreateServiceCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CreateRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClients, destroyClients, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import { setTemplateImage } from '../../sandbox/landing-zone/seed.ts';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { FINALIZE_STEP } from '../../src/contracts/blueprint.ts';
import type { Cell } from '../../src/contracts/platform.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { testCaller } from '../support/caller.ts';

/** Promises of the design that no single fault tests: what is foreign, what is old, what comes first, what stays the same. */
let world: SagaWorld;
let cell: Cell;
let clients: SeedClients;
beforeAll(async () => {
  world = await startSagaWorld();
  cell = world.platform.cells[0]!;
  clients = createClients(awsTarget());
});
afterAll(async () => {
  destroyClients(clients);
  await world.close();
});
afterEach(() => {
  Object.assign(world.injection, { faults: [], twice: [], struck: [] });
  world.gateway.setFaults({ rules: null });
});

/** MiniStack takes a 12-digit access key for the account. */
function awsTarget() {
  const credentials = { accessKeyId: cell.accountId, secretAccessKey: 'test' };
  return { endpointUrl: world.gateway.url, region: cell.region, credentials };
}

describe('what is somebody else’s', () => {
  const plants: Readonly<Record<string, (slug: string) => Promise<unknown>>> = {
    'a log group': (slug) =>
      clients.logs.send(new CreateLogGroupCommand({ logGroupName: `/ecs/moamalat-${slug}-backend` })),
    'an ECS service': async (slug) => {
      const { taskDefinition } = await clients.ecs.send(
        new RegisterTaskDefinitionCommand({
          family: `foreign-${slug}`,
          containerDefinitions: [{ name: 'app', image: 'registry.example/app:1', essential: true }],
        }),
      );
      const serviceName = `moamalat-${slug}-backend`;
      const { cluster } = cell;
      await clients.ecs.send(
        new CreateServiceCommand({
          cluster,
          serviceName,
          taskDefinition: taskDefinition?.taskDefinitionArn,
          desiredCount: 0,
        }),
      );
    },
    'a listener rule': (slug) =>
      clients.elb.send(
        new CreateRuleCommand({
          ListenerArn: cell.loadBalancers[0]!.httpsListenerArn,
          Priority: 40_000,
          Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: [`${slug}.${cell.domains.moamalat!}`] } }],
          Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
        }),
      ),
    'a DNS record': (slug) =>
      clients.route53.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: cell.hostedZone.id,
          ChangeBatch: {
            Changes: [
              {
                Action: 'CREATE',
                ResourceRecordSet: {
                  Name: `${slug}.${cell.domains.moamalat!}`,
                  Type: 'A',
                  TTL: 60,
                  ResourceRecords: [{ Value: '192.0.2.1' }],
                },
              },
            ],
          },
        }),
      ),
  };

  it.each(Object.entries(plants))('%s at a tenant’s name is refused and stays as it is', async (_what, plant) => {
    const slug = `p-${randomUUID().slice(0, 8)}`;
    await plant(slug);
    const before = await world.inventory();
    const run = await world.provision('moamalat', 'rollback', slug);
    expect(await world.outcome(run)).toBe('OWNERSHIP_CONFLICT');
    await expectNothingLeft(world, run, before);
  });
});

describe('a new deployment that fails beside an old one that runs', () => {
  afterEach(() => setTemplateImage({ ...awsTarget(), component: 'backend', tag: '1.0' }));

  it('is a failure, though the old one is PRIMARY and COMPLETED again', async () => {
    world.injection.faults = [{ stepId: 'deploy_frontend', verb: 'ensure', when: 'before' }];
    const run = await world.provision('moamalat', 'hold');
    await world.until(run, 'holding');
    world.injection.faults = [];
    await setTemplateImage({ ...awsTarget(), component: 'backend', tag: 'unhealthy' });
    await world.client.retry(testCaller, run.tenantId);
    await world.until(run, 'running');
    const held = await world.until(run, 'holding');
    expect(held.error).toMatchObject({ stepId: 'deploy_backend', code: 'BackendFailed' });
    // By ECS's word, at once: not because the deadline came while the targets were another's.
    expect(held.error?.detail).toMatch(/FAILED|rolled back/);
    // The circuit breaker has brought the old one back, which serves: ready, but not what was asked for.
    const answer = await askTenant(world.platform, `${run.slug}.${cell.domains.moamalat!}`, '/api/health');
    expect(answer.status).toBe(200);
    await world.client.cancel(testCaller, run.tenantId);
    expect(await world.outcome(run)).toBe('cancelled');
  });
});

describe('DNS', () => {
  it.each(['rolled back', 'deprovisioned'])('goes before all that it points at when a tenant is %s', async (how) => {
    if (how === 'rolled back') world.injection.faults = [{ stepId: FINALIZE_STEP, verb: 'ensure', when: 'before' }];
    const run = await world.provision('moamalat');
    const end = await world.outcome(run);
    if (how === 'deprovisioned') {
      expect(end).toBe('active');
      await world.deprovision(run);
      expect(await world.outcome(run)).toBe('deleted');
    }
    const removals = (await callsOf(run)).filter((call) => call.caller.verb === 'remove' && call.kind === 'change');
    const order = removals.map((call) => call.action);
    expect(order).toContain('DeleteService');
    for (const action of ['DeleteService', 'DeleteRule', 'DeleteTargetGroup'])
      expect(order.indexOf('ChangeResourceRecordSets')).toBeLessThan(order.indexOf(action));
  });
});

describe('an idempotency token', () => {
  it.each([
    ['CreateService', 'deploy_backend'],
    ['CreateSecret', 'create_schema'],
  ])('of %s is the same at every attempt', async (action, stepId) => {
    // Each attempt's answer is lost, and the look before the next one does not show what was made yet.
    const made = { action, stepId };
    world.gateway.setFaults({
      rules: [
        { match: made, fault: { type: 'cut', when: 'after' }, times: 1 },
        { match: made, fault: { type: 'stale', forMs: 4_000 }, times: null },
      ],
    });
    const run = await world.provision('moamalat');
    expect(await world.outcome(run)).toBe('active');
    const tokens = (await callsOf(run))
      .filter((call) => call.action === action && call.caller.stepId === stepId)
      .map((call) => call.token);
    expect(tokens.length).toBeGreaterThan(1);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});

/** The AWS calls of a tenant's operations, in the order in which they came. */
async function callsOf({ tenantId }: Run) {
  const operations = await world.client.operations(testCaller, tenantId);
  const ids = new Set(operations.map((operation) => operation.operationId));
  return world.gateway.calls().filter((call) => ids.has(call.caller.operationId ?? ''));
}
