import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroup } from '../../../src/kinds/log-group/kind.ts';
import { TENANT_TAG } from '../../../src/aws/tags.ts';
import { seedTenant } from '../../db/fixtures.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld } from './kind-world.ts';

const world = useKindWorld();

async function group() {
  const tenant = await newTenant(world);
  const name = `/ecs/${tenant.slug}`;
  return { name, context: contextOf<'log-group'>(world, tenant, { name, retentionDays: 30 }) };
}

describe('log-group', () => {
  it('makes the group with its retention and is harmless when run twice', async () => {
    const { name, context } = await group();
    expect(await logGroup.observe(context)).toMatchObject({ status: 'absent' });
    await logGroup.ensure(context);
    expect(await logGroup.ensure(context)).toMatchObject({ status: 'ready', outputs: { name } });
    expect(await logGroup.observe(context)).toMatchObject({ status: 'ready' });
    expect(await world.aws.logs.findLogGroup(name)).toMatchObject({ retentionDays: 30, tags: context.tags });
  });

  it('adopts what an attempt without an answer made, and gives it its retention', async () => {
    const { name, context } = await group();
    world.proxy.loseAnswerOf('CreateLogGroup');
    expect((await stepErrorOf(logGroup.ensure(context))).code).toBe('UNCLEAR');
    await logGroup.ensure(context);
    expect(await world.aws.logs.findLogGroup(name)).toMatchObject({ retentionDays: 30 });
  });

  it('removes its own, and a second time does nothing', async () => {
    const { context } = await group();
    await logGroup.ensure(context);
    expect(await logGroup.remove(context)).toMatchObject({ status: 'removed' });
    expect(await logGroup.remove(context)).toMatchObject({ status: 'removed', missing: true });
    expect(await logGroup.observe(context)).toMatchObject({ status: 'absent' });
  });

  it("refuses somebody else's group and leaves it untouched", async () => {
    const { name, context } = await group();
    const others = new CloudWatchLogsClient(world.target);
    await others.send(new CreateLogGroupCommand({ logGroupName: name, tags: { team: 'other' } }));
    const refused = await stepErrorOf(logGroup.ensure(context));
    expect(refused).toMatchObject({ code: 'OWNERSHIP_CONFLICT', detail: expect.stringContaining(name) as string });
    expect(await logGroup.remove(context)).toMatchObject({ status: 'removed' });
    const left = await others.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
    expect(left.logGroups).toHaveLength(1);
    expect(left.logGroups?.[0]?.retentionInDays).toBeUndefined();
  });

  it('waits for what is shown of an earlier tenant of the name though the ledger holds it as removed', async () => {
    const { name, context } = await group();
    const earlier = await seedTenant(world.db);
    const tags = { ...context.tags, [TENANT_TAG]: earlier.tenantId };
    await new CloudWatchLogsClient(world.target).send(new CreateLogGroupCommand({ logGroupName: name, tags }));
    expect((await stepErrorOf(logGroup.ensure(context))).code).toBe('OWNERSHIP_CONFLICT');
    await world.db.query(
      `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, state)
       values ($1, 'logs', 'default', $2, 'logs:log-group', $3, 'ready')`,
      [earlier.tenantId, earlier.operationId, name],
    );
    expect((await stepErrorOf(logGroup.ensure(context))).code).toBe('OWNERSHIP_CONFLICT');
    await world.db.query(`update ledger set state = 'removed' where tenant_id = $1`, [earlier.tenantId]);
    expect((await stepErrorOf(logGroup.ensure(context))).code).toBe('CONFLICT_RETRYABLE');
  });
});
