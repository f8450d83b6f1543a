import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { buildProgram, serviceRegistrars } from '../../src/cli/program.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findNamespace } from '../../src/db/temporal-namespaces.ts';
import type { TemporalClient } from '../../src/temporal/client.ts';
import { lookUpNamespace } from '../../src/temporal/namespace.ts';
import { foreignNamespace } from '../../src/worker/own-namespace.ts';
import { startProblems } from '../../src/worker/start-problems.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';
import { examplePlatform } from '../support/platform.ts';

const directory = mkdtempSync(join(tmpdir(), 'tenantry-namespace-'));
let test: TestDatabase;
let db: Database;
let namespaces: Namespaces;
let own: TemporalClient;
let other: TemporalClient;

beforeAll(async () => {
  [test, namespaces] = await Promise.all([createTestDatabase(), openNamespaces()]);
  ({ own, other } = namespaces);
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([namespaces.close(), db.close()]);
  await test.drop();
  rmSync(directory, { recursive: true });
});

it('ties an installation to the namespace of its first worker, and tells every other what to do', async () => {
  expect(await findNamespace(db)).toBeUndefined();
  const first = await Promise.all([foreignNamespace(db, own), foreignNamespace(db, own)]);
  expect(first).toEqual([undefined, undefined]);
  expect(await findNamespace(db)).toEqual(await lookUpNamespace(own.client, 'default'));

  const { id } = (await lookUpNamespace(other.client, other.namespace))!;
  const refusal = await foreignNamespace(db, other);
  expect(refusal).toContain(`this is "${other.namespace}" (id ${id})`);
  expect(refusal).toContain('tenantry adopt-namespace --reason');
  expect(await foreignNamespace(db, own)).toBeUndefined();
});

it('says nothing of what a foreign namespace lacks, because nothing is to be added there', async () => {
  const platform = { version: 1 as const, cells: [] };
  const checks = { database: db, aws: createAwsForPlatform(platform, {}), platform };
  expect(await startProblems({ ...checks, temporal: own })).toEqual([]);
  const problems = await startProblems({ ...checks, temporal: other });
  expect(problems).toEqual([expect.stringContaining('the runs of this database are in the Temporal namespace')]);
});

it('takes the namespace that an operator adopts, and keeps on record who did', async () => {
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(examplePlatform()));
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.stubEnv('DATABASE_URL', test.controlUrl);
  vi.stubEnv('PLATFORM_CONFIG', join(directory, 'platform.json'));
  vi.stubEnv('TENANTRY_PAYLOAD_KEY', Buffer.alloc(32, 1).toString('base64'));
  vi.stubEnv('TEMPORAL_ADDRESS', namespaces.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', other.namespace);
  const program = buildProgram({ registrars: await serviceRegistrars() });
  const adopt = ['adopt-namespace', '--reason', 'the cluster burnt down', '--by', 'somebody'];
  await program.parseAsync(adopt, { from: 'user' });
  expect(printed.mock.calls.flat().join('\n')).toContain(`from now on the runs are in ${other.namespace}`);
  expect(await foreignNamespace(db, other)).toBeUndefined();
  expect(await foreignNamespace(db, own)).toContain(`in the Temporal namespace "${other.namespace}"`);

  await program.parseAsync(adopt, { from: 'user' });
  const { rows } = await db.query('select name, tied_by, reason from temporal_namespaces order by id');
  expect(rows).toEqual([
    { name: 'default', tied_by: `worker on ${hostname()}`, reason: 'the first worker' },
    { name: other.namespace, tied_by: 'somebody', reason: 'the cluster burnt down' },
  ]);
  await expect(db.query('delete from temporal_namespaces')).rejects.toThrow();
  printed.mockRestore();
});
