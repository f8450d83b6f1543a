import { CloudWatchLogsClient, CreateLogGroupCommand, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateTargetGroupCommand,
  DeleteTargetGroupCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DeregisterTaskDefinitionCommand, ECSClient, UntagResourceCommand } from '@aws-sdk/client-ecs';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { setTemplateImage } from '../../../sandbox/landing-zone/seed.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../../src/aws/tags.ts';
import { schemaName } from '../../../src/naming.ts';
import { useKindWorld } from './kind-world.ts';
import { changeRecord, recordsOf } from './records.ts';
import { failureOf, useStepBench, type StepTenant } from './step-bench.ts';

const world = useKindWorld();
const bench = useStepBench(world);

/** Removes a step until it is gone. */
async function removeWholly(tenant: StepTenant, stepId: string): Promise<void> {
  for (let answer = await tenant.remove(stepId); ;) {
    if (answer.status === 'removed' && answer.recheckAtMs === undefined) return;
    const seen = await tenant.observeGone(stepId);
    if (seen.status === 'done' && seen.recheckAtMs === undefined) return;
    answer = { ...answer, status: 'pending' };
  }
}

describe('what the ledger holds as made and has lost its mark', () => {
  it('is a conflict of ownership, by name, while its step waits to be ready', async () => {
    const tenant = await bench.tenant();
    await tenant.make('deploy_backend');
    const { arn: resourceArn } = await tenant.outputs('deploy_backend');
    const tagKeys = [INSTALLATION_TAG, TENANT_TAG];
    await new ECSClient(world.target).send(new UntagResourceCommand({ resourceArn, tagKeys }));
    const failed = await failureOf(tenant.observeReady('deploy_backend'));
    expect(failed).toMatchObject({
      code: 'OWNERSHIP_CONFLICT',
      message: expect.stringContaining(tenant.slug) as string,
    });
  });
});

describe('an earlier revision that lost its mark', () => {
  const stepId = 'create_task_definition:backend';
  const deployTemplateAnew = (tag: string) => {
    const { endpoint: endpointUrl, ...rest } = world.target;
    return setTemplateImage({ endpointUrl, ...rest, component: 'backend', tag });
  };
  const ecs = () => new ECSClient(world.target);
  const activeOf = async (tenant: StepTenant) =>
    (await world.aws.ecs.findRevisions(`moamalat-${tenant.slug}-backend`, 'ACTIVE')).map(({ arn }) => arn).sort();
  const strip = (resourceArn: string) =>
    ecs().send(new UntagResourceCommand({ resourceArn, tagKeys: [INSTALLATION_TAG, TENANT_TAG] }));

  async function staysPresent(tenant: StepTenant, both: string[]): Promise<void> {
    const [earlier = '', latest = ''] = both;
    await strip(earlier);
    await tenant.beginUndo();
    const failed = await failureOf(tenant.remove(stepId));
    expect(failed).toMatchObject({ code: 'STILL_PRESENT', detail: expect.stringContaining(earlier) as string });
    expect(failed.detail).not.toContain(latest);
    expect(await activeOf(tenant)).toEqual(both);
  }

  it('is still present though the ledger knows a later one, and holds nothing up once it is deregistered', async () => {
    const tenant = await bench.tenant();
    await tenant.make(stepId);
    await deployTemplateAnew('3.0');
    await tenant.ensure(stepId);
    const both = await activeOf(tenant);
    expect(both).toEqual([expect.stringMatching(/:1$/), expect.stringMatching(/:2$/)]);
    await staysPresent(tenant, both);
    await ecs().send(new DeregisterTaskDefinitionCommand({ taskDefinition: both[0] }));
    await removeWholly(tenant, stepId);
    expect(await activeOf(tenant)).toEqual([]);
  });

  it('is still present though the attempt that registered it had no answer', async () => {
    const tenant = await bench.tenant();
    for (const need of tenant.blueprint.steps.find(({ id }) => id === stepId)!.needs) await tenant.make(need);
    world.proxy.loseAnswerOf('RegisterTaskDefinition');
    expect((await failureOf(tenant.ensure(stepId))).code).toBe('UNCLEAR');
    await deployTemplateAnew('4.0');
    await tenant.ensure(stepId);
    const both = await activeOf(tenant);
    expect(both).toHaveLength(2);
    await staysPresent(tenant, both);
  });
});

describe('a record', () => {
  it('that somebody pointed elsewhere under its companion is still present, and both stay as they are', async () => {
    const tenant = await bench.tenant();
    await tenant.make('create_dns');
    const alias = (await recordsOf(world, tenant.host)).find((set) => set.Type === 'A')!;
    const elsewhere = { Name: tenant.host, Type: 'A' as const, TTL: 60, ResourceRecords: [{ Value: '192.0.2.7' }] };
    await changeRecord(world, 'UPSERT', elsewhere);
    await tenant.beginUndo();
    const failed = await failureOf(tenant.remove('create_dns'));
    expect(failed).toMatchObject({ code: 'STILL_PRESENT', detail: expect.stringContaining('192.0.2.7') as string });
    expect(await recordsOf(world, tenant.host)).toHaveLength(2);
    await changeRecord(world, 'UPSERT', alias);
    await removeWholly(tenant, 'create_dns');
    expect(await recordsOf(world, tenant.host)).toEqual([]);
  });

  it('of another type that somebody keeps at the host holds nothing up', async () => {
    const tenant = await bench.tenant();
    await tenant.make('create_dns');
    const theirs = { Name: tenant.host, Type: 'TXT' as const, TTL: 60, ResourceRecords: [{ Value: '"verified"' }] };
    await changeRecord(world, 'CREATE', theirs);
    await tenant.beginUndo();
    await removeWholly(tenant, 'create_dns');
    expect((await recordsOf(world, tenant.host)).map((set) => set.Type)).toEqual(['TXT']);
  });
});

describe("what is not the tenant's", () => {
  it('and was refused at its making holds no undo up', async () => {
    const tenant = await bench.tenant();
    const logGroupName = `/ecs/moamalat-${tenant.slug}-backend`;
    await new CloudWatchLogsClient(world.target).send(new CreateLogGroupCommand({ logGroupName }));
    await tenant.make('validate');
    expect((await failureOf(tenant.ensure('create_log_group:backend'))).code).toBe('OWNERSHIP_CONFLICT');
    const theirs = { Name: tenant.host, Type: 'A' as const, TTL: 60, ResourceRecords: [{ Value: '192.0.2.7' }] };
    await changeRecord(world, 'CREATE', theirs);
    await tenant.make('create_alb_rule:frontend');
    await tenant.make('create_alb_rule:backend');
    expect((await failureOf(tenant.ensure('create_dns'))).code).toBe('OWNERSHIP_CONFLICT');
    await tenant.beginUndo();
    await removeWholly(tenant, 'create_log_group:backend');
    await removeWholly(tenant, 'create_dns');
    expect(await world.aws.logs.findLogGroup(logGroupName)).toBeDefined();
    expect(await recordsOf(world, tenant.host)).toHaveLength(1);
  });

  it('but has the name of a schema whose role was made goes untouched, and the role goes', async () => {
    const tenant = await bench.tenant();
    const name = schemaName(tenant.id);
    const client = new pg.Client({ connectionString: world.databases.adminUrl });
    await client.connect();
    await client.query(`create schema ${name}`);
    await tenant.make('validate');
    expect((await failureOf(tenant.ensure('create_schema'))).code).toBe('OWNERSHIP_CONFLICT');
    await tenant.beginUndo();
    await removeWholly(tenant, 'create_schema');
    const { rows } = await client.query(
      `select (select count(*)::int from pg_roles where rolname = $1) as roles,
         (select count(*)::int from pg_namespace where nspname = $1) as schemas`,
      [name],
    );
    await client.query(`drop schema ${name}`);
    await client.end();
    expect(rows).toEqual([{ roles: 0, schemas: 1 }]);
  });

  it('and is another one than the ledger made, by its ARN or its creation, holds no removal up', async () => {
    const tenant = await bench.tenant();
    await tenant.make('create_target_group:backend');
    await tenant.make('create_log_group:backend');
    const { arn, name } = await tenant.outputs('create_target_group:backend');
    const balancing = new ElasticLoadBalancingV2Client(world.target);
    await balancing.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn }));
    await balancing.send(
      new CreateTargetGroupCommand({
        Name: name,
        VpcId: world.cell.vpcId,
        Port: 80,
        Protocol: 'HTTP',
        TargetType: 'ip',
      }),
    );
    const logGroupName = `/ecs/moamalat-${tenant.slug}-backend`;
    const logs = new CloudWatchLogsClient(world.target);
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    // Ours was made an hour ago, and so is not this one.
    await world.db.query(`update ledger set made_at = made_at - interval '1 hour' where tenant_id = $1`, [tenant.id]);
    await tenant.beginUndo();
    await removeWholly(tenant, 'create_target_group:backend');
    await removeWholly(tenant, 'create_log_group:backend');
    expect(await world.aws.loadBalancing.findTargetGroup(name!)).toBeDefined();
    expect(await world.aws.logs.findLogGroup(logGroupName)).toBeDefined();
  });
});
