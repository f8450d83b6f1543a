import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import { buildProgram, serviceRegistrars } from '../../src/cli/program.ts';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findNamespace } from '../../src/db/temporal-namespaces.ts';
import type { TemporalClient } from '../../src/temporal/client.ts';
import { findHolder, takeNamespace } from '../../src/temporal/namespace-mark.ts';
import { findForeignNamespace, lookUpNamespace, type SeenNamespace } from '../../src/temporal/namespace.ts';
import { foreignNamespace } from '../../src/worker/own-namespace.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
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

const tieOf = ({ id, name }: SeenNamespace = { id: '', name: '', holder: '' }) => ({ id, name });

/** The environment of commands of this installation. */
const withEnvironment = (namespace: string, controlUrl = test.controlUrl) => {
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(examplePlatform()));
  vi.stubEnv('DATABASE_URL', controlUrl);
  vi.stubEnv('PLATFORM_CONFIG', join(directory, 'platform.json'));
  vi.stubEnv('TENANTRY_PAYLOAD_KEY', Buffer.alloc(32, 1).toString('base64'));
  vi.stubEnv('TEMPORAL_ADDRESS', namespaces.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
};

it('ties an installation to the namespace of its first worker, and tells every other what to do', async () => {
  expect(await findNamespace(db)).toBeUndefined();
  const first = await Promise.all([foreignNamespace(db, own), foreignNamespace(db, own)]);
  expect(first).toEqual([undefined, undefined]);
  expect(await findNamespace(db)).toEqual(tieOf(await lookUpNamespace(own.client, own.namespace)));

  const { id } = (await lookUpNamespace(other.client, other.namespace))!;
  const refusal = await foreignNamespace(db, other);
  expect(refusal).toContain(`this is "${other.namespace}" (id ${id})`);
  expect(refusal).toContain('tenantry adopt-namespace --reason');
  expect(await foreignNamespace(db, own)).toBeUndefined();
});

it('says nothing of what a foreign namespace lacks, because nothing is to be added there', async () => {
  const platform = { version: 1 as const, cells: [] };
  const checks = { database: db, aws: createAwsForPlatform(platform, {}), platform, catalog: defaultCatalog };
  expect(await startProblems({ ...checks, temporal: own })).toEqual([]);
  const problems = await startProblems({ ...checks, temporal: other });
  expect(problems).toEqual([expect.stringContaining('the runs of this database are in the Temporal namespace')]);
});

it('takes the namespace that an operator adopts, and keeps on record who did', async () => {
  withEnvironment(other.namespace);
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const program = buildProgram({ registrars: await serviceRegistrars() });
  const adopt = ['adopt-namespace', '--reason', 'the cluster burnt down', '--by', 'somebody'];
  await program.parseAsync(adopt, { from: 'user' });
  expect(printed.mock.calls.flat().join('\n')).toContain(`from now on the runs are in ${other.namespace}`);
  expect(await foreignNamespace(db, other)).toBeUndefined();
  expect(await foreignNamespace(db, own)).toContain(`in the Temporal namespace "${other.namespace}"`);

  await program.parseAsync(adopt, { from: 'user' });
  const { rows } = await db.query('select name, tied_by, reason from temporal_namespaces order by id');
  expect(rows).toEqual([
    { name: own.namespace, tied_by: `worker on ${hostname()}`, reason: 'the first worker' },
    { name: other.namespace, tied_by: 'somebody', reason: 'the cluster burnt down' },
  ]);
  await expect(db.query('delete from temporal_namespaces')).rejects.toThrow();
  printed.mockRestore();
});

describe('a second installation in the namespace of another', () => {
  let second: TestDatabase;
  let secondDb: Database;
  beforeAll(async () => {
    second = await createTestDatabase();
    await migrate(second.controlUrl);
    secondDb = createDatabase({ url: second.controlUrl });
  });
  afterAll(async () => {
    await secondDb.close();
    await second.drop();
  });

  const fresh = async () => {
    const { own: temporal, close } = await openNamespaces();
    return { temporal, close, lookUp: () => lookUpNamespace(temporal.client, temporal.namespace) };
  };

  it('is refused before it polls, told whose it is and what to do, and stays free to take another', async () => {
    const { temporal, close, lookUp } = await fresh();
    const [first, later] = [await findInstallationId(db), await findInstallationId(secondDb)];
    await db.query(`insert into temporal_namespaces (namespace_id, name, tied_by, reason) values ($1, $2, '', '')`, [
      (await lookUp())!.id,
      temporal.namespace,
    ]);
    // Free until a worker takes it: an API that came first may accept.
    expect(await findForeignNamespace(secondDb, lookUp)).toBeUndefined();
    expect(await foreignNamespace(db, temporal)).toBeUndefined();
    expect(await findHolder(temporal.client)).toBe(first);

    const platform = { version: 1 as const, cells: [] };
    const aws = createAwsForPlatform(platform, {});
    const refused = [
      await findForeignNamespace(secondDb, lookUp),
      await foreignNamespace(secondDb, temporal),
      ...(await startProblems({ database: secondDb, temporal, aws, platform, catalog: defaultCatalog })),
    ];
    for (const why of refused) {
      expect(why).toContain(`holds the runs of installation ${first}, this database is installation ${later}`);
      expect(why).toContain('tenantry adopt-namespace --reason');
    }
    expect(refused).toHaveLength(3);
    expect(await findNamespace(secondDb)).toBeUndefined();
    expect(await foreignNamespace(db, temporal)).toBeUndefined();
    await close();
  });

  it('loses or wins the race of two first starts, as a whole', async () => {
    const { temporal, close } = await fresh();
    const third = await createTestDatabase();
    await migrate(third.controlUrl);
    const thirdDb = createDatabase({ url: third.controlUrl });
    const racers = [secondDb, thirdDb, secondDb, thirdDb];
    const answers = await Promise.all(racers.map((racer) => foreignNamespace(racer, temporal)));
    const holder = await findHolder(temporal.client);
    const ids = await Promise.all(racers.map((racer) => findInstallationId(racer)));
    expect(ids).toContain(holder);
    expect(answers.map((answer) => answer === undefined)).toEqual(ids.map((id) => id === holder));
    await thirdDb.close();
    await third.drop();
    await close();
  });

  it('may take it over once nobody of that one is there any more', async () => {
    const { temporal, close } = await fresh();
    const { client, namespace } = temporal;
    expect(await takeNamespace(client, 'b8f6d5a2-gone')).toBe('b8f6d5a2-gone');
    const left = await client.workflow.start('TenantProvisioning', {
      workflowId: 'tenant.moamalat.acme',
      taskQueue: TASK_QUEUE,
      args: [],
    });
    withEnvironment(namespace, second.controlUrl);
    const [printed, complained] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
    for (const spy of [printed, complained]) spy.mockImplementation(() => undefined);
    const adopt = async () => {
      const program = buildProgram({ registrars: await serviceRegistrars() });
      await program.parseAsync(['adopt-namespace', '--reason', 'that one is gone'], { from: 'user' });
      const code = process.exitCode;
      process.exitCode = undefined;
      return code;
    };
    expect(await adopt()).toBe(4);
    expect(complained.mock.calls.flat().join()).toMatch(/installation b8f6d5a2-gone, of which 1 are open.*terminate/);
    expect(await findHolder(client)).toBe('b8f6d5a2-gone');
    await left.terminate();
    await vi.waitFor(async () => expect(await adopt()).toBeUndefined(), { timeout: 20_000, interval: 500 });
    expect(await findHolder(client)).toBe(await findInstallationId(secondDb));
    expect(await foreignNamespace(secondDb, temporal)).toBeUndefined();
    await close();
  });
});
