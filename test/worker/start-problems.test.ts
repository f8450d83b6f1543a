import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { startProblems } from '../../src/worker/start-problems.ts';
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
    const checks = { database: db, temporal: namespaces.own, aws, platform, awsCredentialsNamed: false };
    const ofAws = (await startProblems(checks)).filter((problem) => problem.includes('for cell'));
    expect(ofAws).toEqual([expect.stringContaining('AWS does not answer for cell "default"')]);
    expect(ofAws.join()).toContain('AWS_UNAVAILABLE: sts:GetCallerIdentity failed: the connection was cut');
  } finally {
    aws.destroy();
    server.close();
  }
});
