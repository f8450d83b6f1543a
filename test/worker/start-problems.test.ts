import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { createCatalog, defaultCatalog } from '../../src/catalog/catalog.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { startProblems } from '../../src/worker/start-problems.ts';
import { seedTenant, setRunning } from '../db/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';
import { examplePlatform } from '../support/platform.ts';

let test: TestDatabase;
let db: Database;
let namespaces: Namespaces;

beforeAll(async () => {
  [test, namespaces] = await Promise.all([createTestDatabase(), openNamespaces()]);
  db = createDatabase({ url: test.controlUrl });
});
afterAll(async () => {
  await Promise.all([namespaces.close(), db.close()]);
  await test.drop();
});

it('names an endpoint that cuts the connection, and does not put it down to the credentials', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const platform = examplePlatform();
  const aws = createAwsForPlatform(platform, {
    endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
  });
  try {
    const checks = {
      database: db,
      temporal: namespaces.own,
      aws,
      platform,
      catalog: defaultCatalog,
      awsCredentialsNamed: false,
    };
    const ofAws = (await startProblems(checks)).filter((problem) => problem.includes('for cell'));
    expect(ofAws).toEqual([expect.stringContaining('AWS does not answer for cell "default"')]);
    expect(ofAws.join()).toContain('AWS_UNAVAILABLE: sts:GetCallerIdentity failed: the connection was cut');
  } finally {
    aws.destroy();
    server.close();
  }
});

it('names every product and kind that tenants are of and that it does not have', async () => {
  await migrate(test.controlUrl);
  const steps = [{ id: 'queue', kind: 'sqs-queue', needs: [], spec: {} }];
  const [made, waiting] = [await seedTenant(db), await seedTenant(db, { steps: () => steps })];
  await setRunning(db, made);
  await db.query(
    `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
     values ($1, 'old', 'default', 'old-kind', $2, 'ready', 1), ($1, 'gone', 'default', 'gone-kind', $2, 'removed', 1)`,
    [made.tenantId, made.operationId],
  );
  const platform = { version: 1 as const, cells: [] };
  const checks = { database: db, temporal: namespaces.own, aws: createAwsForPlatform(platform, {}), platform };
  const ofKinds = [
    expect.stringMatching(/^1 tenant is of kind "old-kind", which is not loaded \(from no tenantry.config.ts/),
    expect.stringMatching(/^1 tenant is of kind "sqs-queue".*: correct TENANTRY_CONFIG$/),
  ] as string[];
  const ofCell = expect.stringMatching(
    /^PLATFORM_CONFIG: cell "default" is not in the platform description, and has 2 /,
  ) as string;
  expect(await startProblems({ ...checks, catalog: defaultCatalog })).toEqual([...ofKinds, ofCell]);
  const catalogFile = 'elsewhere/tenantry.config.ts';
  const none = await startProblems({ ...checks, catalog: createCatalog({ products: [] }), catalogFile });
  expect(none[0]).toMatch(/^2 tenants are of product "moamalat", .*\(from elsewhere\/tenantry.config.ts\)/);

  await db.query(`update operations set state = 'withdrawn', closed_at = now() where id = $1`, [waiting.operationId]);
  await db.query(`update tenants set status = 'deleted' where id = $1`, [waiting.tenantId]);
  expect(await startProblems({ ...checks, catalog: defaultCatalog })).toEqual([
    ofKinds[0],
    expect.stringContaining('has 1 tenant, 1 open operation: put it back'),
  ]);
});
