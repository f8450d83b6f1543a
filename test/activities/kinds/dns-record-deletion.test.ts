import { ChangeResourceRecordSetsCommand, Route53Client, type ResourceRecordSet } from '@aws-sdk/client-route-53';
import { describe, expect, it } from 'vitest';
import { createCellAws, type CellAws } from '../../../src/aws/cell-aws.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { recordType } from '../../../src/kinds/dns-record/type.ts';
import { useKindWorld } from './kind-world.ts';
import { recordsOf } from './records.ts';
import { failureOf, useStepBench, type StepTenant } from './step-bench.ts';

const world = useKindWorld();
const bench = useStepBench(world);

/** A tenant with a ready record, which was active, in its removal. */
async function leaving(): Promise<StepTenant> {
  const tenant = await bench.tenant();
  await tenant.make('create_dns');
  expect((await tenant.observeReady('create_dns')).status).toBe('done');
  await world.db.query('update tenants set activated_at = now() where id = $1', [tenant.id]);
  await tenant.beginUndo();
  return tenant;
}

/** A worker that was started just now: nothing that another one knew is in its memory. */
async function withNewWorker<T>(
  tenant: StepTenant,
  cell: Cell,
  act: (tenant: StepTenant, aws: CellAws) => Promise<T>,
): Promise<T> {
  const { endpoint: endpointUrl, credentials } = world.target;
  const aws = createCellAws(cell, { endpointUrl, credentials, pacing: { factor: Infinity } });
  try {
    return await act(bench.before(tenant, { cell, aws }), aws);
  } finally {
    aws.destroy();
  }
}

async function untilGone(tenant: StepTenant): Promise<string[]> {
  const details: string[] = [];
  for (;;) {
    const seen = await tenant.observeGone('create_dns');
    details.push(seen.detail ?? '');
    if (seen.status === 'done') return details;
  }
}

/** As somebody with the rights for it may: a health check on both records, and other values of each. */
async function addHealthChecks(host: string): Promise<void> {
  const route53 = new Route53Client(world.target);
  const upsert = (set: ResourceRecordSet) =>
    route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: world.cell.hostedZone.id,
        ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: set }] },
      }),
    );
  const sets = await recordsOf(world, host);
  const alias = sets.find(({ Type }) => Type === 'A')!;
  const companion = sets.find(({ Type }) => Type === 'TXT')!;
  const AliasTarget = { ...alias.AliasTarget!, EvaluateTargetHealth: true };
  await upsert({ ...alias, AliasTarget, HealthCheckId: 'check-of-ops' });
  await upsert({ ...companion, TTL: 300, HealthCheckId: 'check-of-ops' });
  expect(await recordsOf(world, host)).toMatchObject([{ HealthCheckId: 'check-of-ops' }, { TTL: 300 }]);
}

describe('the deletion of a record', () => {
  it('gives every value that the record has by now, those too that somebody else added', async () => {
    const tenant = await leaving();
    await addHealthChecks(tenant.host);
    expect((await tenant.remove('create_dns')).status).toBe('pending');
    expect(await recordsOf(world, tenant.host)).toEqual([]);
  });

  it('by the sweep gives every such value, too', async () => {
    const { host } = await leaving();
    await addHealthChecks(host);
    const item = await world.aws.inventory.records.find({ name: host, physicalId: host });
    const access = { aws: world.aws, cell: world.cell, tenantDatabases: bench.tenantDatabases() };
    await recordType.takeAway({ ...access, item: item!, guard: () => Promise.resolve() });
    expect(await recordsOf(world, host)).toEqual([]);
  });

  it('is waited for by another worker until it is in sync, and the TTL counts from there', async () => {
    const tenant = await leaving();
    world.gateway.setTime({ dnsSyncMs: 20_000 });
    try {
      const deletedAtMs = Date.now();
      expect((await tenant.remove('create_dns')).status).toBe('pending');
      expect(await recordsOf(world, tenant.host)).toEqual([]);
      await withNewWorker(tenant, world.cell, async (after) => {
        // A second attempt at the removal, as the new worker makes it, does not start the wait anew.
        expect((await after.remove('create_dns')).status).toBe('pending');
        const before = world.gateway.calls().at(-1)?.seq ?? 0;
        const details = await untilGone(after);
        expect(details.some((detail) => detail.includes('PENDING'))).toBe(true);
        const asked = world.gateway.calls(before).flatMap((call) => (call.service === 'route53' ? [call.action] : []));
        // The wait asks for the change alone; the zone's records are looked at when it is over.
        expect(asked.slice(0, -2).every((action) => action === 'GetChange')).toBe(true);
        expect(asked.slice(-2)).toEqual(['ListResourceRecordSets', 'ListResourceRecordSets']);
      });
      const drainMs = world.cell.hostedZone.drainSeconds * 1000;
      expect(Date.now() - deletedAtMs).toBeGreaterThanOrEqual(20_000 + drainMs);
    } finally {
      world.gateway.setTime('fast');
    }
  });

  it('whose answer is lost is given the usual time to be in sync before its TTL counts', async () => {
    const tenant = await leaving();
    const cell = { ...world.cell, usualMs: { ...world.cell.usualMs, 'dns-record.gone': 4_000 } };
    const deletedAtMs = Date.now();
    world.proxy.loseAnswerOf('ChangeResourceRecordSets');
    expect((await failureOf(tenant.remove('create_dns'))).code).toBe('UNCLEAR');
    await withNewWorker(tenant, cell, async (after) => {
      expect((await after.remove('create_dns')).status).toBe('pending');
      await untilGone(after);
    });
    expect(Date.now() - deletedAtMs).toBeGreaterThanOrEqual(4_000 + cell.hostedZone.drainSeconds * 1000);
  });
});
