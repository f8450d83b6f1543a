import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createAwsForPlatform, type PlatformAws } from '../../src/aws/cell-aws.ts';
import { ISOLATION_STEP } from '../../src/contracts/isolation.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { listLedger, type LedgerRow } from '../../src/db/ledger.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { createSweep, type Sweep } from '../../src/sweep/sweep.ts';
import { ownershipTags } from '../../src/naming.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { FakeTemporalRuns, GROWN_UP_MS } from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

let world: SagaWorld;
let sweep: Sweep;
let aws: PlatformAws;
let stop: () => Promise<void>;
beforeAll(async () => {
  world = await startSagaWorld();
  const { platform, database, gateway, sources } = world;
  const tenantDatabases = createTenantDatabases({ primary: sources.databaseUrl });
  const credentials = { accessKeyId: platform.cells[0]!.accountId, secretAccessKey: 'test' };
  aws = createAwsForPlatform(platform, { endpointUrl: gateway.url, credentials });
  stop = async () => {
    aws.destroy();
    await tenantDatabases.close();
    await world.close();
  };
  sweep = createSweep({
    database,
    tenantDatabases,
    platform,
    catalog: defaultCatalog,
    installationId: await findInstallationId(database),
    aws,
    temporalRuns: new FakeTemporalRuns(),
    log: pino({ level: 'silent' }),
    now: () => new Date(Date.now() + GROWN_UP_MS),
  });
});
afterAll(() => stop());

const report = () => sweep.report(testCaller, { cell: 'default', by: 'a test' });

it('shows nothing of a tenant that the executor made, wholly held by the ledger, nor after it is gone', async () => {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  const living = await report();
  expect(living.findings).toEqual([]);
  expect(living.tooYoung).toEqual([]);
  expect(living.problems).toEqual([]);
  expect(living.mark.state).toBe('intact');
  // Two each of task definition, target group, rule, log group and service; a record, a secret, a schema with its role.
  expect(living.counts.held).toBe(13);

  await world.client.isolate(testCaller, run.tenantId, { reason: 'a breach' });
  await vi.waitFor(
    async () => expect((await world.client.get(testCaller, run.tenantId)).isolation).toMatchObject({ state: 'on' }),
    { timeout: 30_000, interval: 200 },
  );
  const isolated = await report();
  expect(isolated.findings).toEqual([]);
  expect(isolated.counts.held).toBe(14);

  await world.deprovision(run);
  await world.until(run, 'succeeded', 60_000);
  const after = await report();
  expect(after.findings).toEqual([]);
  expect(after.counts.held).toBe(0);
  expect(after.counts.passing).toBe(1); // the secret in its recovery window
});

it('takes away the notice of an isolation that came late, of a tenant that is gone', async () => {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  await world.client.isolate(testCaller, run.tenantId, { reason: 'a breach' });
  await world.deprovision(run);
  expect(await world.outcome(run)).toBe('deleted');

  const { listenerArn, host, rule } = await lateNotice(run);
  const { id, findings } = await report();
  expect(findings).toEqual([
    expect.objectContaining({ class: 'leak', name: host, physicalId: rule.arn, removable: true }),
  ]);
  await sweep.approve(testCaller, { reportId: id, by: 'a test' });
  const { removals } = await sweep.remove(testCaller, { reportId: id, by: 'a test' });
  expect(removals).toEqual([expect.objectContaining({ outcome: 'removed', physicalId: rule.arn })]);
  expect((await aws('default').loadBalancing.findRules(listenerArn)).map(({ arn }) => arn)).not.toContain(rule.arn);
});

async function lateNotice({ tenantId, slug }: Run) {
  const [cell] = world.platform.cells;
  const listenerArn = cell!.loadBalancers[0]!.httpsListenerArn;
  const host = `${slug}.${cell!.domains.moamalat!}`;
  const installationId = await findInstallationId(world.database);
  const [{ operationId }] = (await listLedger(world.database, tenantId)) as [LedgerRow];
  const tags = ownershipTags({ installationId, tenantId, product: 'moamalat', operationId, stepId: ISOLATION_STEP });
  const response = { status: '503', contentType: 'text/plain', body: 'late' };
  const rule = await aws('default').loadBalancing.createNotice({ listenerArn, priority: 1, host, response, tags });
  return { listenerArn, host, rule: rule! };
}
