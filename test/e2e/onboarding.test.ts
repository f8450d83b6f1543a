import { forgeryIn } from '../../src/certificates/signature.ts';
import type { Certificate } from '../../src/contracts/certificate.ts';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isResidue, residuesOf } from '../../sandbox/demo/residues.ts';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { describeChange, describeItem, difference, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { setTemplateImage } from '../../sandbox/landing-zone/seed.ts';
import { fromAttributes, toAttributes, type Item } from '../../src/aws/dynamodb-values.ts';
import { startSystem, type System } from './system.ts';

let system: System | undefined;
const running = (): System => {
  if (!system) throw new Error('the system is not up');
  return system;
};
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

/** A session of the tenant's own role, with the password that only Secrets Manager has. */
async function openTenantSession(tenantId: string): Promise<pg.Client> {
  const { parts } = running();
  const secrets = new SecretsManagerClient({
    endpoint: parts.env.AWS_ENDPOINT_URL,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { SecretList } = await secrets.send(new ListSecretsCommand({}));
  const SecretId = SecretList?.find((secret) => secret.Name?.includes(tenantId))?.ARN;
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  secrets.destroy();
  const url = new URL(parts.oracleDatabaseUrl);
  const session = new pg.Client({
    host: url.hostname,
    port: Number(url.port),
    database: 'tenants',
    user: `tenant_${tenantId.replaceAll('-', '')}`,
    password: SecretString,
  });
  await session.connect();
  return session;
}

/** The tenant as the table shows it that the worker writes. */
async function projected(tenantId: string): Promise<Item> {
  const { platform, env } = running().parts;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const dynamodb = new DynamoDBClient({ endpoint: env.AWS_ENDPOINT_URL, region: 'us-east-1', credentials });
  const TableName = platform.cells[0]?.projection?.table;
  const Key = toAttributes({ PK: `TENANT#${tenantId}`, SK: 'META' });
  const { Item: found = {} } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  dynamodb.destroy();
  return fromAttributes(found);
}

interface Mail {
  readonly to: readonly string[];
  readonly text?: string;
}

async function mails(): Promise<Mail[]> {
  const response = await fetch(`${running().parts.env.AWS_ENDPOINT_URL}/_gateway/mails`);
  const body = (await response.json()) as Mail[] | { mails: Mail[] };
  return Array.isArray(body) ? body : body.mails;
}

async function expectBackTo(before: readonly InventoryItem[], tenantId: string): Promise<void> {
  const events = await running().api.events(tenantId, { after: 0, limit: 200 });
  const residues = residuesOf(events);
  const { added, removed, changed } = difference(before, await running().inventory());
  expect(added.filter((item) => !isResidue(item, residues)).map(describeItem)).toEqual([]);
  expect(removed.map(describeItem)).toEqual([]);
  expect(changed.map(describeChange)).toEqual([]);
}

describe('a tenant, from one POST to nothing', () => {
  it('meets the nine points of acceptance, and its deletion leaves nothing but named residues', async () => {
    const { api, until, inventory, parts } = running();
    const before = await inventory();

    // 1 the subdomain is accepted; 2 validated and recorded
    const accepted = await running().create('  NINE-Points ');
    expect(accepted).toMatchObject({ workflowId: 'tenant.moamalat.nine-points', status: 'pending' });
    const { tenantId } = accepted;
    expect(await api.get(tenantId)).toMatchObject({ slug: 'nine-points', product: 'moamalat' });
    const done = await until(tenantId, 'succeeded', 'rolled-back', 'stuck', 'holding');
    expect(done).toMatchObject({ status: 'active', operation: { state: 'succeeded' } });

    // 3 the schema is isolated; 4 backend and frontend are deployed; 5 routing; 6 DNS
    const schema = `tenant_${tenantId.replaceAll('-', '')}`;
    const there = difference(before, await inventory()).added;
    const count = (kind: RegExp) => there.filter((item) => kind.test(item.kind)).length;
    expect(there).toContainEqual(expect.objectContaining({ kind: 'postgres:schema', id: schema }));
    expect(count(/^ecs:service$/)).toBe(2);
    expect(count(/rule/)).toBe(2);
    expect(count(/record/)).toBe(2);
    const answer = await askTenant(parts.platform, 'nine-points.moamalat-pro.com', '/api/tenant');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ tenantId, schema, user: schema });
    const page = await askTenant(parts.platform, 'nine-points.moamalat-pro.com', '/');
    expect(page.status).toBe(200);
    expect(page.body).toContain('nine-points');

    // 7 health is watched and reported
    const events = await api.events(tenantId, { after: 0, limit: 200 });
    for (const stepId of ['deploy_backend', 'deploy_frontend']) {
      expect(events.filter((e) => e.stepId === stepId).map((e) => e.type)).toEqual([
        'step.started',
        'step.pending',
        'step.ready',
      ]);
    }

    // 8 the mail holds URL and user name, and no password
    await expect.poll(async () => (await mails()).length, { timeout: 60_000 }).toBe(1);
    const [mail] = await mails();
    expect(JSON.stringify(mail)).toContain('https://nine-points.moamalat-pro.com');
    expect(JSON.stringify(mail)).toContain('admin@nine-points.example');

    // 9 the URL is returned
    expect(done.tenantUrl).toBe('https://nine-points.moamalat-pro.com');
    const { tenantUrl } = done;
    await expect.poll(() => projected(tenantId), { timeout: 20_000 }).toMatchObject({ status: 'active', tenantUrl });

    await api.delete(tenantId, 'nine-points');
    expect(await until(tenantId, 'succeeded', 'stuck')).toMatchObject({ status: 'deleted', cleanupPending: false });
    const gone = { status: 'deleted', resources: [], currentStep: null };
    await expect.poll(() => projected(tenantId), { timeout: 20_000 }).toMatchObject(gone);
    await expectBackTo(before, tenantId);
    await expectCertified(tenantId);
    await expect(running().create('nine-points')).rejects.toMatchObject({ code: 'SLUG_TAKEN' });
  });

  it('is removed though a session to its database is open', async () => {
    const { api, until, inventory } = running();
    const before = await inventory();
    const { tenantId } = await running().create('in-use');
    expect(await until(tenantId, 'succeeded', 'holding')).toMatchObject({ status: 'active' });
    const session = await openTenantSession(tenantId);
    const lost = new Promise<Error>((resolve) => session.on('error', resolve));
    await session.query('begin');
    await session.query('select count(*) from notes');
    await api.delete(tenantId, 'in-use');
    expect((await lost).message).toMatch(/terminat/);
    expect(await until(tenantId, 'succeeded', 'stuck')).toMatchObject({ status: 'deleted' });
    await expectBackTo(before, tenantId);
  });
});

describe("an operator with Temporal's own CLI", () => {
  it('cancels in mid-run, which rolls back to nothing and frees the slug', async () => {
    const { until, inventory, temporal } = running();
    const before = await inventory();
    const { tenantId, workflowId } = await running().create('called-off');
    await expect
      .poll(async () => (await running().api.status(tenantId)).currentSteps, { timeout: 20_000 })
      .toContain('deploy_backend');
    await temporal('workflow', 'signal', '-w', workflowId, '--name', 'cancel');
    expect(await until(tenantId, 'cancelled', 'succeeded', 'stuck')).toMatchObject({
      status: 'failed',
      cleanupPending: false,
    });
    await expectBackTo(before, tenantId);
    const again = await running().create('called-off');
    expect(again.tenantId).not.toBe(tenantId);
    await running().api.cancel(again.tenantId);
    await until(again.tenantId, 'cancelled');
  });

  it('retries a run that holds, once the cause is fixed', async () => {
    const { until, parts, temporal, api } = running();
    const template = {
      endpointUrl: parts.env.AWS_ENDPOINT_URL ?? '',
      region: 'us-east-1',
      component: 'backend' as const,
    };
    await setTemplateImage({ ...template, tag: 'unhealthy' });
    const { tenantId, workflowId } = await running().create('second-try');
    const held = await until(tenantId, 'holding', 'succeeded', 'rolled-back');
    expect(held).toMatchObject({
      status: 'creating',
      operation: { state: 'holding' },
      error: { code: 'BackendFailed', message: 'Backend service failed to start', stepId: 'deploy_backend' },
    });
    await temporal(
      'workflow',
      'signal',
      '-w',
      workflowId,
      '--name',
      'retry',
      '--input',
      '"00000000-0000-0000-0000-000000000000"',
    );
    await setTemplateImage({ ...template, tag: '1.0' });
    expect(await api.status(tenantId)).toMatchObject({ operation: { state: 'holding' } });
    await temporal('workflow', 'signal', '-w', workflowId, '--name', 'retry');
    expect(await until(tenantId, 'succeeded', 'rolled-back', 'stuck')).toMatchObject({ status: 'active' });
    const answer = await askTenant(parts.platform, 'second-try.moamalat-pro.com', '/api/tenant');
    expect(answer.status).toBe(200);
    const { operation } = await api.status(tenantId);
    const generations = await api.operation(tenantId, operation.operationId);
    expect(generations.generation).toBe(2);
    await api.delete(tenantId, 'second-try');
    await until(tenantId, 'succeeded');
  });
});

/** Everything was seen absent between the request and the end of the deletion, and the installation has signed that. */
async function expectCertified(tenantId: string): Promise<void> {
  const { api } = running();
  const signed = await api.certificate(tenantId);
  expect(await forgeryIn(signed, await api.keys())).toBeUndefined();
  const { operation, resources, residues } = signed.certificate as Certificate;
  expect(resources.length).toBeGreaterThan(8);
  for (const { type, name, absentAt } of resources)
    expect([operation.askedAt <= absentAt, absentAt <= operation.closedAt], `${type} ${name}`).toEqual([true, true]);
  expect(residues.map(({ type }) => type)).toContain('ecs:task-definition');
}
