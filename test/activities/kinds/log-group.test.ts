import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
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
