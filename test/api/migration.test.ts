import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { buildProgram } from '../../src/cli/program.ts';
import type { Blueprint } from '../../src/contracts/blueprint.ts';
import { findAppliedBlueprint } from '../../src/db/blueprints.ts';
import { listEvents } from '../../src/db/events.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { careless, folders, transientSteps } from '../support/folders.ts';
import { examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  const catalog = createCatalog({ products: [moamalat, folders, careless] });
  api = await createApiFixture({ catalog, platform: examplePlatform({ products: ['folders', 'careless'] }) });
});
afterAll(() => api.close());

interface Answer {
  tenantId: string;
  operationId: string;
  workflowId: string;
  status: string;
  operation: string | null;
  steps: { stepId: string; becomes: string; transient: boolean }[];
  error: { code: string; message: string; details: { tierChanges?: unknown; fields?: unknown } };
}

let counter = 0;
async function active(product = 'folders'): Promise<Answer> {
  const tier = product === 'moamalat' ? {} : { tier: 'shared' };
  const payload = { ...acme, product, slug: `moving-${(counter += 1)}`, ...tier };
  const tenant = (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<Answer>();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}

async function migrate(tenant: Answer, payload: object, query = ''): Promise<{ status: number; body: Answer }> {
  const url = `/api/v1/tenants/${tenant.tenantId}/migrate${query}`;
  const answer = await api.app.inject({ method: 'POST', url, payload });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}

const own = { tier: 'own' };

describe('POST .../migrate', () => {
  it('accepts a change of tier: its steps, those on the way too, and why in the audit trail', async () => {
    const tenant = await active();
    const { status, body } = await migrate(tenant, { ...own, reason: 'it grew' });
    expect([status, body.status]).toEqual([202, 'active']);
    const [operation] = await listOperationsOf(api.database, tenant.tenantId);
    expect(operation).toMatchObject({
      id: body.operationId,
      type: 'migrate',
      state: 'accepted',
      onFailure: 'rollback',
    });
    const { steps, tier } = (await findBlueprint(api.database, body.operationId)) as Blueprint;
    expect(tier).toBe('own');
    expect(steps.filter(({ transient }) => transient).map(({ id }) => id)).toEqual(transientSteps);
    expect(await findTenant(api.database, tenant.tenantId)).toMatchObject({ tier: 'shared', cameFromTier: null });
    const events = await listEvents(api.database, tenant.tenantId);
    expect(events.at(-1)).toMatchObject({ type: 'operation.accepted', data: { type: 'migrate', reason: 'it grew' } });
    expect((await migrate(tenant, own)).body.error.code).toBe('OPERATION_IN_PROGRESS');
  });

  it('applies all that stays, and nothing that was on the way', async () => {
    const tenant = await active();
    await migrate(tenant, own);
    await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['migrating', 'active']);
    api.orchestrator.end(tenant.workflowId);
    const applied = await findAppliedBlueprint(api.database, tenant.tenantId);
    expect(applied?.steps.map(({ id, needs }) => [id, needs])).toEqual([
      ...[
        ['validate', []],
        ['table', ['validate']],
        ['mark', ['table']],
        ['finalize', ['mark', 'table']],
      ],
    ]);
  });

  it('with dryRun says what is made, changed and dropped, and what is there on the way only; nothing changes', async () => {
    const tenant = await active();
    const { status, body } = await migrate(tenant, own, '?dryRun=true');
    expect([status, body.operation]).toEqual([200, 'migrate']);
    expect(body.steps.filter(({ transient }) => transient).map(({ stepId }) => stepId)).toEqual(transientSteps);
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
  });

  it('refuses a tier that there is not, the one that it is in, and a change that the product does not declare', async () => {
    const tenant = await active();
    const unknown = await migrate(tenant, { tier: 'huge' });
    expect([unknown.status, unknown.body.error.code]).toEqual([400, 'INVALID_INPUT']);
    expect(unknown.body.error.details.fields).toEqual([{ field: 'body.tier', problem: 'must be one of shared, own' }]);
    const same = await migrate(tenant, { tier: 'shared' });
    expect([same.status, same.body.error.code]).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(same.body.error.message).toContain('its tier is shared already');
    await api.database.query(`update tenants set tier = 'own' where id = $1`, [tenant.tenantId]);
    const back = await migrate(tenant, { tier: 'shared' });
    expect([back.status, back.body.error.code]).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(back.body.error.message).toContain('no change of tier from own to shared (it has: from shared to own)');
    expect(back.body.error.details.tierChanges).toEqual([{ from: 'shared', to: 'own' }]);
    const untiered = await migrate(await active('moamalat'), own);
    expect([untiered.status, untiered.body.error.code]).toEqual([400, 'INVALID_INPUT']);
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
  });

  it('refuses what is malformed, a tenant that is not active, and one whose data nothing would bring along', async () => {
    const tenant = await active();
    for (const payload of [{}, { tier: '' }, { tier: 1 }, { ...own, more: true }])
      expect((await migrate(tenant, payload)).status).toBe(400);
    const lost = await migrate(await active('careless'), own);
    expect([lost.status, lost.body.error.code]).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(lost.body.error.message).toContain(`the step "rows" cannot be taken away: it holds the tenant's data`);
    const suspended = await active();
    const url = `/api/v1/tenants/${suspended.tenantId}/suspend`;
    await api.app.inject({ method: 'POST', url });
    await api.move(suspended.tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
    api.orchestrator.end(suspended.workflowId);
    expect((await migrate(suspended, own)).body.error.code).toBe('TENANT_NOT_CHANGEABLE');
  });
});

/** `tenantry tenants ...`, in this process: what it prints. */
async function tenants(...args: readonly string[]): Promise<string> {
  let said = '';
  const stream = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream;
  const terminal = { out: stream, err: stream };
  await buildProgram({ terminal, setExitCode: () => undefined }).parseAsync(['tenants', ...args], { from: 'user' });
  return said;
}

describe('tenants migrate', () => {
  beforeAll(async () => {
    process.env.TENANTRY_API_URL = (await api.listen()).url;
  });
  afterAll(() => {
    delete process.env.TENANTRY_API_URL;
  });

  it('says beforehand what becomes of each step, and what is there on the way only', async () => {
    const { tenantId } = await active();
    const said = await tenants('migrate', tenantId, '--tier', 'own', '--dry-run');
    expect(said).toMatch(/^ {2}make +fence \(ssm-parameters\), on the way only$/m);
    expect(said).toMatch(/^ {2}make +table \(log-group\)$/m);
    expect(await tenants('preview', 'migrate', tenantId, '--tier', 'own')).toBe(said);
  });

  it('asks for the change with its reason, and refuses in the words of its options', async () => {
    const { tenantId } = await active();
    await expect(tenants('migrate', tenantId, '--tier', 'huge', '--no-wait')).rejects.toThrow('must be one of');
    await expect(tenants('migrate', tenantId, '--no-wait')).rejects.toThrow('--tier');
    const asked = ['--tier', 'own', '--reason', 'it grew', '--on-failure', 'hold', '--no-wait', '--json'];
    const { operationId } = JSON.parse(await tenants('migrate', tenantId, ...asked)) as Answer;
    const [operation] = await listOperationsOf(api.database, tenantId);
    expect(operation).toMatchObject({ id: operationId, type: 'migrate', onFailure: 'hold' });
    const events = await listEvents(api.database, tenantId);
    expect(events.at(-1)).toMatchObject({ data: { reason: 'it grew' } });
  });
});
