import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledger } from '../../examples/ledger/product.ts';
import { createCatalog } from '../../src/catalog/catalog.ts';
import type { Blueprint } from '../../src/contracts/blueprint.ts';
import { listEvents } from '../../src/db/events.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { listSettings } from '../../src/db/settings.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  const catalog = createCatalog({ products: [moamalat, ledger] });
  api = await createApiFixture({ catalog, platform: examplePlatform({ products: ['ledger'] }) });
});
afterAll(() => api.close());

interface Answer {
  tenantId: string;
  operationId: string;
  workflowId: string;
  status: string;
  operation: string | null;
  steps: { stepId: string; becomes: string }[];
  error: { code: string; message: string };
}

let counter = 0;
async function active(product = 'moamalat'): Promise<Answer> {
  const payload = { ...acme, product, slug: `turn-${(counter += 1)}` };
  const tenant = (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<Answer>();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function post(tenant: Answer, path: string, payload?: object): Promise<{ status: number; body: Answer }> {
  const url = `/api/v1/tenants/${tenant.tenantId}/${path}`;
  const answer = await api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}
async function end(tenant: Answer, ...states: Parameters<ApiFixture['move']>[1]): Promise<void> {
  await api.move(tenant.tenantId, states, ['updating', 'active']);
  api.orchestrator.end(tenant.workflowId);
}
async function stepsOf({ operationId }: Answer): Promise<string[]> {
  return ((await findBlueprint(api.database, operationId)) as Blueprint).steps.map(({ id }) => id);
}
const credentialsOf = async ({ tenantId }: Answer) => (await findTenant(api.database, tenantId))?.credentials;

describe('POST .../rotate', () => {
  it('accepts a rotation: another login, and why in the audit trail', async () => {
    const tenant = await active();
    const { status, body } = await post(tenant, 'rotate', { reason: 'a laptop was stolen' });
    expect([status, body.status]).toEqual([202, 'active']);
    const [operation] = await listOperationsOf(api.database, tenant.tenantId);
    expect(operation).toMatchObject({ id: body.operationId, type: 'rotate', state: 'accepted', onFailure: 'rollback' });
    expect(await stepsOf(body)).toEqual(expect.arrayContaining(['create_login:2', 'revoke_password:2']));
    expect((await listSettings(api.database, tenant.tenantId))[0]).toMatchObject({ version: 2, credentials: 2 });
    const events = await listEvents(api.database, tenant.tenantId);
    expect(events.at(-1)).toMatchObject({ type: 'operation.accepted', data: { reason: 'a laptop was stolen' } });
  });

  it('goes on from the credentials that the last rotation left, and so does every other change', async () => {
    const tenant = await active();
    await post(tenant, 'rotate');
    await end(tenant, 'running', 'committing', 'succeeded');
    const url = `/api/v1/tenants/${tenant.tenantId}`;
    const payload = { settings: { services: { backend: { count: 2 } } } };
    const changed = (await api.app.inject({ method: 'PATCH', url, payload })).json<Answer>();
    expect(await stepsOf(changed)).toContain('create_login:2');
    await end(tenant, 'running', 'rolling-back', 'rolled-back');
    expect(await credentialsOf(tenant)).toBe(2);
    const { body } = await post(tenant, 'rotate');
    expect(await stepsOf(body)).toContain('create_login:3');
    await end(tenant, 'running', 'rolling-back', 'rolled-back');
    expect(await credentialsOf(tenant)).toBe(2);
  });

  it('with dryRun says what would become of each step, and changes nothing', async () => {
    const tenant = await active();
    const { status, body } = await post(tenant, 'rotate?dryRun=true');
    expect([status, body.operation]).toEqual([200, 'rotate']);
    expect(body.steps).toContainEqual(expect.objectContaining({ stepId: 'create_login:2', becomes: 'make' }));
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
    expect(await credentialsOf(tenant)).toBe(1);
  });

  it('is refused where nothing logs in to a schema', async () => {
    const { status, body } = await post(await active('ledger'), 'rotate');
    expect([status, body.error.code]).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(body.error.message).toContain('nothing of it is rotated');
  });

  it('is refused while another operation is open, and for a suspended tenant', async () => {
    const tenant = await active();
    await post(tenant, 'suspend');
    expect((await post(tenant, 'rotate')).body.error.code).toBe('OPERATION_IN_PROGRESS');
    await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
    api.orchestrator.end(tenant.workflowId);
    expect((await post(tenant, 'rotate')).body.error.code).toBe('TENANT_NOT_CHANGEABLE');
  });
});
