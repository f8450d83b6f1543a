import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { listSteps } from '../../src/db/steps.ts';
import { schemaName, secretName } from '../../src/naming.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

interface Active {
  readonly run: Run;
  readonly host: string;
  readonly owner: string;
  /** What its services log in by. */
  readonly login: Login;
}
interface Login {
  readonly user: string;
  readonly password: string;
}

describe.concurrent('a tenant', () => {
  it('whose credentials are rotated twice answers all the while, and the ones before are refused', async () => {
    const atFirst = await world.inventory();
    const { run, host, owner, login: first } = await active();
    await ask(host, 'POST');
    const prober = probe(host);
    const preview = await world.client.previewRotation(caller, run.tenantId, {});
    expect(preview.steps.filter(({ becomes }) => becomes !== 'keep')).toMatchObject([
      { stepId: 'create_login:2', becomes: 'make' },
      { stepId: 'create_task_definition:backend', becomes: 'change' },
      { stepId: 'deploy_backend', becomes: 'change' },
      { stepId: 'revoke_password:2', becomes: 'make' },
    ]);

    const second = await rotated(run, 2);
    expect(second.user).toBe(`${owner}_2`);
    expect(await opens(first)).toBe('28P01');
    await ask(host, 'POST');

    const third = await rotated(run, 3);
    expect(third.user).toBe(`${owner}_3`);
    expect(await opens(second)).toMatch(/^28/);
    await ask(host, 'POST');

    expect(await prober.stop()).toEqual([]);
    expect(await opens(third)).toBe('as its owner');
    expect(await ownersIn(owner)).toEqual([owner]);
    expect(await rolesOf(owner)).toEqual([owner, third.user]);
    expect(await ask(host)).toMatchObject({ status: 200, body: expect.stringMatching(/"id":"3"/) as unknown });

    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });

  it.each([
    ['create_login:2', 'after'],
    ['revoke_password:2', 'after'],
  ] as const)('whose rotation fails at %s %s its effect keeps its credentials', async (stepId, when) => {
    const { run, host, owner, login } = await active();
    const before = await shapeNow(world, run);
    const prober = probe(host);
    world.injection.faults = [...world.injection.faults, { slug: run.slug, stepId, verb: 'ensure', when }];
    await world.client.rotateTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'active',
      cleanupPending: false,
      operation: { type: 'rotate', state: 'rolled-back' },
    });
    expect(await prober.stop()).toEqual([]);
    expect(await loginOf(run)).toEqual(login);
    expect(await opens(login)).toBe('as its owner');
    expect(await rolesOf(owner)).toEqual([owner]);
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);

    const handedOut = await passwordInRecovery(run);
    world.injection.faults = world.injection.faults.filter(({ slug }) => slug !== run.slug);
    expect((await rotated(run, 2)).password).not.toBe(handedOut);
    expect(await opens(login)).toBe('28P01');
  });
});

describe.concurrent('a tenant whose credentials were rotated', () => {
  it('is suspended, resumed and changed with the credentials that it has by then', async () => {
    const atFirst = await world.inventory();
    const { run, host, owner, login: first } = await active();
    await ask(host, 'POST');
    const second = await rotated(run, 2);
    await world.client.changeMode(caller, run.tenantId, 'suspend', { reason: 'unpaid' });
    expect(await world.outcome(run)).toBe('suspended');
    await world.client.changeMode(caller, run.tenantId, 'resume', {});
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject({ status: 200, body: expect.stringMatching(/"id":"1"/) as unknown });
    const settings = { services: { backend: { cpu: 512, memory: 1_024 } } };
    await world.client.changeTenant(caller, run.tenantId, { settings });
    expect(await world.outcome(run)).toBe('active');
    expect(await ask(host)).toMatchObject({ status: 200, body: expect.stringMatching(/"id":"1"/) as unknown });
    expect(await loginOf(run, 'create_login:2')).toEqual(second);
    expect([await opens(second), await opens(first)]).toEqual(['as its owner', '28P01']);
    expect(await rolesOf(owner)).toEqual([owner, second.user]);
    await rotated(run, 3);
    expect(await opens(second)).toMatch(/^28/);
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });
});

describe.concurrent('a rotation whose new tasks cannot log in', () => {
  it('goes back, and the login before works all the while', async () => {
    const { run, host, owner, login } = await active();
    const before = await shapeNow(world, run);
    const prober = probe(host);
    const parked = { stepId: 'create_task_definition:backend', action: 'RegisterTaskDefinition', contains: run.slug };
    const ruleId = world.gateway.addRule({ match: parked, fault: { type: 'park', when: 'before' } });
    await world.client.rotateTenant(caller, run.tenantId, {});
    // Before any task of it starts, and after all that makes the login.
    const parkedId = await untilParked(ruleId);
    await query(`alter role "${owner}_2" nologin`);
    world.gateway.release(parkedId);

    expect(await world.outcome(run)).toBe('BackendFailed');
    expect(await prober.stop()).toEqual([]);
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      ...{ status: 'active', cleanupPending: false },
      operation: { type: 'rotate', state: 'rolled-back' },
    });
    expect(await loginOf(run)).toEqual(login);
    expect([await opens(login), await rolesOf(owner)]).toEqual(['as its owner', [owner]]);
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  });
});

async function untilParked(ruleId: string): Promise<string> {
  const find = () => world.gateway.faults().parked.find((call) => call.ruleId === ruleId);
  return (await vi.waitUntil(find, { interval: 20, timeout: 60_000 })).id;
}

async function active(): Promise<Active> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  const host = `${run.slug}.${world.platform.cells[0]!.domains.moamalat!}`;
  return { run, host, owner: schemaName(run.tenantId), login: await loginOf(run) };
}

/** @returns what its services log in by then */
async function rotated(run: Run, number: number): Promise<Login> {
  await world.client.rotateTenant(caller, run.tenantId, { reason: 'every ninety days' });
  expect(await world.outcome(run)).toBe('active');
  expect(await world.client.status(caller, run.tenantId)).toMatchObject({
    status: 'active',
    cleanupPending: false,
    operation: { type: 'rotate', state: 'succeeded' },
  });
  const login = await loginOf(run, `create_login:${number}`);
  expect(await opens(login)).toBe('as its owner');
  return login;
}

/** Asks the route that reads the tenant's schema, until stopped; answers what was not answered well. */
function probe(host: string): { stop: () => Promise<string[]> } {
  const failed: string[] = [];
  const stopping = new AbortController();
  const asking = (async () => {
    for (let asked = 1; !stopping.signal.aborted || asked <= 20; asked += 1) {
      const { status, body } = await ask(host).catch((error: unknown) => ({ status: 0, body: String(error) }));
      if (status !== 200) failed.push(`request ${asked}: ${status} ${body}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await asking;
      return failed;
    },
  };
}

function ask(host: string, method: 'GET' | 'POST' = 'GET') {
  return askTenant(world.platform, host, '/api/notes', method === 'POST' ? { body: 'a note' } : undefined);
}

async function loginOf(run: Run, stepId = 'create_schema'): Promise<Login> {
  const outputs = (await listSteps(world.database, run.tenantId)).find((step) => step.stepId === stepId)?.outputs;
  const secrets = secretsOf();
  const { SecretString = '' } = await secrets.send(
    new GetSecretValueCommand({ SecretId: String(outputs?.['secretArn']) }),
  );
  secrets.destroy();
  return { user: String(outputs?.['role']), password: SecretString };
}

/** As whom a session by the login acts, or PostgreSQL's code of its refusal. */
async function opens({ user, password }: Login): Promise<string> {
  const url = new URL(world.sources.databaseUrl);
  const client = new pg.Client({
    ...{ host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) },
    ...{ user, password },
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ user: string; schema: string }>(
      'select current_user::text as user, current_schema()::text as schema',
    );
    const owner = user.replace(/_\d+$/, '');
    return rows[0]?.user === owner && rows[0].schema === owner ? 'as its owner' : JSON.stringify(rows);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ownersIn(schema: string): Promise<string[]> {
  return query(
    `select distinct pg_get_userbyid(relowner)::text as name from pg_class where relnamespace = to_regnamespace($1)`,
    schema,
  );
}

async function rolesOf(owner: string): Promise<string[]> {
  return query('select rolname::text as name from pg_roles where starts_with(rolname, $1) order by 1', owner);
}

async function query(sql: string, ...values: string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: world.sources.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(sql, values);
  await client.end();
  return rows.map(({ name }) => name);
}

/** What the login of a rotation that went back had: its secret is in its recovery window, and stays there. */
async function passwordInRecovery({ tenantId }: Run): Promise<string> {
  const secrets = secretsOf();
  const SecretId = secretName(await findInstallationId(world.database), tenantId, 'create_login:2');
  await secrets.send(new RestoreSecretCommand({ SecretId }));
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
  secrets.destroy();
  expect(SecretString).not.toBe('');
  return SecretString;
}

function secretsOf(): SecretsManagerClient {
  const { accountId: accessKeyId = '', region = '' } = world.platform.cells[0] ?? {};
  const credentials = { accessKeyId, secretAccessKey: 'test' };
  return new SecretsManagerClient({ endpoint: world.gateway.url, region, credentials });
}
