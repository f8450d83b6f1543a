import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { createSweep, type Sweep } from '../../src/sweep/sweep.ts';
import { startSagaWorld, type SagaWorld } from '../../testing/sagas/world.ts';
import { FakeTemporalRuns, GROWN_UP_MS } from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

let world: SagaWorld;
let sweep: Sweep;
let stop: () => Promise<void>;
beforeAll(async () => {
  world = await startSagaWorld();
  const { platform, database, gateway, sources } = world;
  const tenantDatabases = createTenantDatabases({ primary: sources.databaseUrl });
  const credentials = { accessKeyId: platform.cells[0]!.accountId, secretAccessKey: 'test' };
  const aws = createAwsForPlatform(platform, { endpointUrl: gateway.url, credentials });
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

  await world.deprovision(run);
  await world.until(run, 'succeeded', 60_000);
  const after = await report();
  expect(after.findings).toEqual([]);
  expect(after.counts.held).toBe(0);
  expect(after.counts.passing).toBe(1); // the secret in its recovery window
});
