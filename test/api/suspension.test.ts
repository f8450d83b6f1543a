import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Blueprint } from '../../src/contracts/blueprint.ts';
import { listEvents } from '../../src/db/events.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { listSettings } from '../../src/db/settings.ts';
import { NOTICE_STEP } from '../../src/products/suspension.ts';
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
  operation: string | null;
  steps: { stepId: string; becomes: string }[];
  error: { code: string };
}

let counter = 0;
async function active(): Promise<Answer> {
  const payload = { ...acme, slug: `rest-${(counter += 1)}` };
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
async function suspended(): Promise<Answer> {
  const tenant = await active();
  await post(tenant, 'suspend');
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
const countOf = async (operationId: string) =>
  ((await findBlueprint(api.database, operationId)) as Blueprint).steps.find(({ id }) => id === 'deploy_backend')?.spec[
    'desiredCount'
  ];

describe('POST .../suspend', () => {
  it('accepts a suspension: services of no task behind a notice, and why in the audit trail', async () => {
    const tenant = await active();
    const { status, body } = await post(tenant, 'suspend', { reason: 'invoice 17 is unpaid' });
    expect([status, body.status]).toEqual([202, 'active']);
    const [operation] = await listOperationsOf(api.database, tenant.tenantId);
    expect(operation).toMatchObject({ id: body.operationId, type: 'suspend', state: 'accepted' });
    const { steps } = (await findBlueprint(api.database, body.operationId)) as Blueprint;
    expect(steps.map(({ id }) => id)).toContain(NOTICE_STEP);
    expect(await countOf(body.operationId)).toBe(0);
    expect((await listSettings(api.database, tenant.tenantId))[0]).toMatchObject({ version: 2, mode: 'suspended' });
    const events = await listEvents(api.database, tenant.tenantId);
    expect(events.at(-1)).toMatchObject({ type: 'operation.accepted', data: { reason: 'invoice 17 is unpaid' } });
  });

  it('answers 200 for a tenant that is suspended already, and begins nothing', async () => {
    const tenant = await suspended();
    expect(await post(tenant, 'suspend')).toMatchObject({ status: 200, body: { status: 'suspended' } });
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(2);
  });

  it('is refused while another operation is open', async () => {
    const tenant = await active();
    await post(tenant, 'suspend');
    const second = await post(tenant, 'resume');
    expect([second.status, second.body.error.code]).toEqual([409, 'OPERATION_IN_PROGRESS']);
  });

  it('with dryRun says what would become of each step, and changes nothing', async () => {
    const tenant = await active();
    const { status, body } = await post(tenant, 'suspend?dryRun=true');
    expect([status, body.operation]).toEqual([200, 'suspend']);
    // What the ledger of this tenant lacks, as nothing made it, would be made.
    expect(body.steps).toContainEqual(expect.objectContaining({ stepId: NOTICE_STEP, becomes: 'make' }));
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
    expect(await listSettings(api.database, tenant.tenantId)).toHaveLength(1);
  });
});

describe('POST .../resume', () => {
  it('accepts a resumption: the tenant as it was before', async () => {
    const tenant = await suspended();
    const { status, body } = await post(tenant, 'resume');
    expect([status, body.status]).toEqual([202, 'suspended']);
    expect(await countOf(body.operationId)).toBe(1);
    const { steps } = (await findBlueprint(api.database, body.operationId)) as Blueprint;
    expect(steps.map(({ id }) => id)).not.toContain(NOTICE_STEP);
    expect((await listSettings(api.database, tenant.tenantId))[0]).toMatchObject({ version: 3, mode: 'active' });
  });

  it('answers 200 for a tenant that is active already', async () => {
    expect(await post(await active(), 'resume')).toMatchObject({ status: 200, body: { status: 'active' } });
  });

  it.each([
    ['resume', 'active', 202],
    ['suspend', 'suspended', 409],
  ] as const)('%s of a tenant that is %s by its status only is not answered as done', async (verb, status, code) => {
    const tenant = status === 'active' ? await active() : await suspended();
    const [last] = await listOperationsOf(api.database, tenant.tenantId);
    // As an abandoned change of mode leaves a step that it could not bring back.
    await api.database.query(
      `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
       select $1, 'deploy_backend', cell, 'ecs-service', $2, 'present', 1 from tenants where id = $1`,
      [tenant.tenantId, last!.id],
    );
    const answer = await post(tenant, verb);
    expect(answer.status).toBe(code);
    const [newest] = await listOperationsOf(api.database, tenant.tenantId);
    expect(newest?.state).toBe(code === 202 ? 'accepted' : 'succeeded');
  });

  it('comes before any other change of a suspended tenant', async () => {
    const tenant = await suspended();
    const url = `/api/v1/tenants/${tenant.tenantId}`;
    const settings = { services: { backend: { count: 2 } } };
    const answer = await api.app.inject({ method: 'PATCH', url, payload: { settings } });
    expect([answer.statusCode, answer.json<Answer>().error.code]).toEqual([409, 'TENANT_NOT_CHANGEABLE']);
  });
});
