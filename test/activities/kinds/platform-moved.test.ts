import { describe, expect, it } from 'vitest';
import { createCellAws } from '../../../src/aws/cell-aws.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { useKindWorld } from './kind-world.ts';
import { recordsOf } from './records.ts';
import { failureOf, useStepBench, type StepTenant } from './step-bench.ts';

const world = useKindWorld();
const bench = useStepBench(world);

/** Nothing in it is what the tenant was made with, but for account and region. */
function moved(cell: Cell): Cell {
  const [lb] = cell.loadBalancers;
  const arn = lb!.arn.replace(/\/[^/]+$/, '/0000000000000000');
  return {
    ...cell,
    cluster: 'another-cluster',
    allowedRoleArns: [],
    allowedImageRepositories: ['elsewhere.test/app'],
    templateServices: {},
    loadBalancers: [
      {
        ...lb!,
        arn,
        dnsName: 'another.elb.test',
        httpsListenerArn: `${arn.replace(':loadbalancer/', ':listener/')}/1`,
      },
    ],
    hostedZone: { ...cell.hostedZone, id: 'ZANOTHER', name: 'another.test' },
    domains: { moamalat: 'another.test' },
    tenantDatabases: [{ id: 'another', host: 'db.test', port: 5432, name: 'tenants' }],
  };
}

const downwards = [
  'create_dns',
  'deploy_frontend',
  'deploy_backend',
  'create_alb_rule:frontend',
  'create_alb_rule:backend',
  'create_target_group:frontend',
  'create_target_group:backend',
  'create_task_definition:frontend',
  'create_task_definition:backend',
  'create_log_group:frontend',
  'create_log_group:backend',
  'create_schema',
  'validate',
];

async function removeAll(tenant: StepTenant): Promise<void> {
  for (const stepId of downwards) {
    const { status } = await tenant.remove(stepId);
    for (let left = status === 'pending' ? 10 : 0; left > 0; left -= 1)
      if ((await tenant.observeGone(stepId)).status === 'done') break;
  }
}

describe('a tenant whose platform file has changed since it was made', () => {
  it('is removed by what was recorded: host, zone, load balancer, listener, cluster, database', async () => {
    const tenant = await bench.tenant();
    for (const stepId of ['create_dns', 'deploy_backend', 'deploy_frontend']) await tenant.make(stepId);
    const service = `moamalat-${tenant.slug}-backend`;
    expect((await world.aws.ecs.findService(service))?.status).toBe('ACTIVE');
    await tenant.beginUndo();
    const cell = moved(world.cell);
    const { endpoint: endpointUrl, credentials } = world.target;
    const aws = createCellAws(cell, { endpointUrl, credentials, pacing: { factor: Infinity } });
    try {
      await removeAll(bench.before(tenant, { cell, aws }));
    } finally {
      aws.destroy();
    }
    expect(await tenant.leftovers()).toEqual([]);
    expect(await recordsOf(world, tenant.host)).toEqual([]);
    expect((await world.aws.ecs.findService(service))?.status ?? 'INACTIVE').toBe('INACTIVE');
    const rules = await world.aws.loadBalancing.findRules(world.cell.loadBalancers[0]!.httpsListenerArn);
    expect(rules.filter((rule) => rule.hosts.includes(tenant.host))).toEqual([]);
    expect(await world.aws.logs.findLogGroup(`/ecs/${service}`)).toBeUndefined();
  });

  it('finds a rule that an attempt without an answer made on the listener of that time', async () => {
    const tenant = await bench.tenant();
    await tenant.make('create_target_group:backend');
    world.proxy.loseAnswerOf('CreateRule');
    expect((await failureOf(tenant.ensure('create_alb_rule:backend'))).code).toBe('UNCLEAR');
    await tenant.beginUndo();
    await bench.before(tenant, { cell: moved(world.cell) }).remove('create_alb_rule:backend');
    const rules = await world.aws.loadBalancing.findRules(world.cell.loadBalancers[0]!.httpsListenerArn);
    expect(rules.filter((rule) => rule.hosts.includes(tenant.host))).toEqual([]);
  });

  it('is refused where the cell is another account now: a look there would show nothing', async () => {
    const tenant = await bench.tenant();
    await tenant.make('create_target_group:backend');
    await tenant.make('create_log_group:backend');
    await tenant.beginUndo();
    const elsewhere = bench.before(tenant, { cell: { ...world.cell, accountId: '999999999999' } });
    for (const stepId of ['create_target_group:backend', 'create_log_group:backend']) {
      const failed = await failureOf(elsewhere.remove(stepId));
      expect(failed).toMatchObject({ code: 'OUTSIDE_CELL', detail: expect.stringContaining('999999999999') as string });
    }
    expect((await tenant.leftovers()).map(({ code }) => code)).toEqual(['OUTSIDE_CELL', 'OUTSIDE_CELL']);
  });

  it('is still made by what the cell lists today alone', async () => {
    const tenant = await bench.tenant();
    await tenant.make('validate');
    const today = bench.before(tenant, { cell: { ...world.cell, domains: { moamalat: 'another.test' } } });
    expect((await failureOf(today.ensure('create_dns'))).code).toBe('OUTSIDE_CELL');
  });
});
