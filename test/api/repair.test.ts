import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { listEvents } from '../../src/db/events.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Answer {
  tenantId: string;
  operationId: string;
  workflowId: string;
  status: string;
  operation: string;
  steps: { stepId: string; becomes: string }[];
  error: { code: string };
}

let counter = 0;
async function active(): Promise<Answer> {
  const payload = { ...acme, slug: `fix-${(counter += 1)}` };
  const tenant = (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<Answer>();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function repair({ tenantId }: Answer, query = '', payload?: object): Promise<{ status: number; body: Answer }> {
  const url = `/api/v1/tenants/${tenantId}/repair${query}`;
  const answer = await api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}

describe('POST .../repair', () => {
  it('accepts a repair that carries a copy of what is applied, and why in the audit trail', async () => {
    const tenant = await active();
    const { status, body } = await repair(tenant, '', { reason: 'rule deleted by hand' });
    expect([status, body.status]).toEqual([202, 'active']);
    const operations = await listOperationsOf(api.database, tenant.tenantId);
    expect(operations[0]).toMatchObject({ id: body.operationId, type: 'repair', state: 'accepted' });
    expect(await findBlueprint(api.database, body.operationId)).toEqual(
      await findBlueprint(api.database, tenant.operationId),
    );
    const events = await listEvents(api.database, tenant.tenantId);
    expect(events.at(-1)).toMatchObject({ type: 'operation.accepted', data: { reason: 'rule deleted by hand' } });
  });

  it('with dryRun says what would become of each step, and changes nothing', async () => {
    const tenant = await active();
    const { status, body } = await repair(tenant, '?dryRun=true');
    expect([status, body.operation]).toEqual([200, 'repair']);
    const { steps } = (await findBlueprint(api.database, tenant.operationId)) as { steps: { id: string }[] };
    expect(body.steps.map(({ stepId }) => stepId).sort()).toEqual(steps.map(({ id }) => id).sort());
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
  });

  it('is refused while an operation is open, and for a tenant that is not active', async () => {
    const tenant = await active();
    await repair(tenant);
    const again = await repair(tenant);
    expect([again.status, again.body.error.code]).toEqual([409, 'OPERATION_IN_PROGRESS']);
    const suspended = await active();
    await api.app.inject({ method: 'POST', url: `/api/v1/tenants/${suspended.tenantId}/suspend` });
    await api.move(suspended.tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
    const refused = await repair(suspended);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'TENANT_NOT_CHANGEABLE']);
  });

  it('is refused for a tenant that is not there, and with a field that it does not know', async () => {
    const tenant = await active();
    expect((await repair({ ...tenant, tenantId: crypto.randomUUID() })).body.error.code).toBe('TENANT_NOT_FOUND');
    expect((await repair(tenant, '', { onFailure: 'hold' })).body.error.code).toBe('INVALID_INPUT');
  });
});
