import { randomUUID } from 'node:crypto';
import { CreateServiceCommand, DeleteServiceCommand } from '@aws-sdk/client-ecs';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { startDemoApp, type DemoApp } from '../../../sandbox/demo-app/app.ts';
import { part } from '../../support/parts.ts';
import {
  cluster,
  makePlatform,
  makeRule,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  request,
  serviceInput,
  until,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
const role = `tenant_${randomUUID().replaceAll('-', '')}`;
let adminUrl: URL;
let admin: pg.Client;

beforeAll(async () => {
  const postgres = await part('postgres');
  adminUrl = new URL(new URL(postgres.tenantUrl).pathname, postgres.adminUrl);
  admin = new pg.Client({ connectionString: adminUrl.href });
  await admin.connect();
  await admin.query(`create role ${role} login password 'pw-of-x'`);
  await admin.query(`create schema ${role} authorization ${role}`);
  await admin.query(`alter role ${role} set search_path = ${role}`);
  await admin.query(`grant connect on database ${adminUrl.pathname.slice(1)} to ${role}`);
  await admin.query(
    `create table ${role}.notes (id bigint generated always as identity primary key, body text not null, created_at timestamptz not null default now())`,
  );
  await admin.query(`alter table ${role}.notes owner to ${role}`);
});
afterAll(async () => {
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
  await admin.query(`drop schema ${role} cascade`);
  await admin.query(`drop owned by ${role}`);
  await admin.query(`drop role ${role}`);
  await admin.end();
});

const environment = () => {
  const { hostname, port } = adminUrl;
  return {
    TENANT_ID: 'b5b0f0d0-0000-4000-8000-000000000001',
    TENANT_SUBDOMAIN: 'acme',
    DB_HOST: hostname,
    DB_PORT: port,
    DB_NAME: adminUrl.pathname.slice(1),
    DB_SCHEMA: role,
    DB_USER: role,
  };
};

describe('the backend', () => {
  it('behind the load balancer answers from its own schema, with the password from its secret', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { ARN } = await account.secrets.send(new CreateSecretCommand({ Name: 'db', SecretString: 'pw-of-x' }));
    const targetGroupArn = await makeTargetGroup(account, 'acme');
    const host = 'acme.moamalat-pro.com';
    await makeRule(account, { listenerArn, priority: 1, host, targetGroupArn });
    const definition = await registerDefinition(account, 'acme', {
      environment: environment(),
      secrets: { DB_PASSWORD: ARN! },
    });
    await account.ecs.send(new CreateServiceCommand(serviceInput('acme', definition, targetGroupArn)));
    await untilRollout(account, 'acme', 'COMPLETED');
    const answer = await request(shared.gateway, listenerArn, host, '/api/tenant');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      slug: 'acme',
      user: role,
      schema: role,
      configuredSchema: role,
      notes: 0,
      tables: ['notes'],
    });
    const sessions = () => admin.query(`select 1 from pg_stat_activity where usename = '${role}'`);
    expect((await sessions()).rows.length).toBeGreaterThan(0);
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'acme', force: true }));
    await until('no session left', async () => (await sessions()).rows.length === 0);
  });

  it('reads and writes notes, and refuses what is none', async () => {
    const app = await start('backend', { ...environment(), DB_PASSWORD: 'pw-of-x' });
    const notes = `http://127.0.0.1:${app.port}/api/notes`;
    const post = (body: string) => fetch(notes, { method: 'POST', body });
    expect((await post('{"body":"hello"}')).status).toBe(201);
    expect((await post('{"body":""}')).status).toBe(400);
    expect((await post('nonsense')).status).toBe(400);
    expect(await (await fetch(notes)).json()).toMatchObject({ notes: [{ body: 'hello' }] });
    await app.close();
  });

  it('whose database refuses it is not healthy', async () => {
    const app = await start('backend', { ...environment(), DB_PASSWORD: 'wrong' });
    expect((await fetch(`http://127.0.0.1:${app.port}/api/health`)).status).toBe(503);
    await app.close();
  });

  it('without a database is the template, and well', async () => {
    const app = await start('backend', {});
    expect(await (await fetch(`http://127.0.0.1:${app.port}/health`)).json()).toEqual({ status: 'ok', template: true });
    expect((await fetch(`http://127.0.0.1:${app.port}/api/notes`)).status).toBe(404);
    await app.close();
  });
});

describe('the frontend', () => {
  it('names its tenant, escaped, and asks its own backend', async () => {
    const app = await start('frontend', {
      TENANT_SUBDOMAIN: '<b>acme',
      API_BASE_URL: 'https://acme.moamalat-pro.com/api',
    });
    const page = await (await fetch(`http://127.0.0.1:${app.port}/`)).text();
    expect(page).toContain('Tenant &lt;b&gt;acme');
    expect(page).toContain('"https://acme.moamalat-pro.com/api/tenant"');
    await app.close();
  });
});

function start(part: 'app' | 'backend' | 'frontend', env: Record<string, string>): Promise<DemoApp> {
  return startDemoApp({ part, environment: env, behavior: 'healthy', healthPaths: [], onExit: () => undefined });
}
