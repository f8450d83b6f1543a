import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import type { ChoiceView, StatusView } from '../../src/client/views.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import { changeOperationState, findOpenOperation } from '../../src/db/operations.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Tenant {
  readonly tenantId: string;
  readonly operationId: string;
  readonly slug: string;
}

const failure = { code: 'BackendFailed', message: 'Backend service failed to start' };
let counter = 0;

async function accepted(): Promise<Tenant> {
  const slug = `advice-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  return { ...answer.json<Tenant>(), slug };
}

/** A provisioning that went through these states, the failure on record at each, with something made. */
async function provisioning(...states: OperationState[]): Promise<Tenant> {
  const tenant = await accepted();
  await api.orchestrator.claim(tenant.operationId);
  const { tenantId, operationId } = tenant;
  await recordIntent(api.database, {
    key: { tenantId, operationId, cell: 'default', stepId: 'create_schema', kind: 'postgres-schema', generation: 1 },
    resources: [{ type: 'postgres:schema', name: 'tenant_1' }],
    latenessMs: 0,
    attempt: 1,
    sawMade: false,
  });
  await go(tenant, states);
  return tenant;
}

async function go({ tenantId }: Tenant, states: readonly OperationState[]): Promise<void> {
  await api.database.transaction(async (tx) => {
    const open = await findOpenOperation(tx, tenantId);
    if (!open) throw new Error('no operation is open');
    let { state } = open;
    for (const to of states) {
      const isWorse = to !== 'running' && to !== 'committing' && to !== 'succeeded';
      expect(await changeOperationState(tx, open.id, [state], to, isWorse ? { failure } : {})).toBeDefined();
      state = to;
    }
    const change = { operationId: open.id, cleanupPending: state === 'stuck' || state === 'abandoned' };
    if (open.type === 'deprovision') {
      await changeTenantStatus(tx, tenantId, state === 'succeeded' ? 'deleted' : 'deleting', change);
      return;
    }
    await changeTenantStatus(tx, tenantId, 'creating', { operationId: open.id });
    if (state === 'succeeded') await changeTenantStatus(tx, tenantId, 'active', { ...change, failure: null });
    else if (state !== 'running' && state !== 'holding')
      await changeTenantStatus(tx, tenantId, 'failed', { ...change, failure });
  });
}

async function deprovisioning(...states: OperationState[]): Promise<Tenant> {
  const tenant = await provisioning('committing', 'succeeded');
  api.orchestrator.end(`tenant.moamalat.${tenant.slug}`);
  const url = `/api/v1/tenants/${tenant.tenantId}?confirm=${tenant.slug}`;
  const { operationId } = (await api.app.inject({ method: 'DELETE', url })).json<Tenant>();
  await api.orchestrator.claim(operationId);
  await go(tenant, states);
  return { ...tenant, operationId };
}

const status = async ({ tenantId }: Tenant) =>
  (await api.app.inject(`/api/v1/tenants/${tenantId}/status`)).json<StatusView>();

interface Answer {
  readonly statusCode: number;
  json<T>(): T;
}

const requests: Record<ChoiceView['verb'], (tenant: Tenant) => Promise<Answer>> = {
  retry: ({ tenantId }) => api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/retry` }),
  cancel: ({ tenantId }) => api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/cancel` }),
  repair: ({ tenantId }) => api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/repair` }),
  abandon: ({ tenantId }) =>
    api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/abandon`, payload: { reason: 'kept' } }),
  delete: ({ tenantId, slug }) =>
    api.app.inject({ method: 'DELETE', url: `/api/v1/tenants/${tenantId}?confirm=${slug}` }),
};

const waiting: readonly (readonly [string, () => Promise<Tenant>])[] = [
  ['a provisioning that holds', () => provisioning('holding')],
  ['a provisioning that is stuck', () => provisioning('rolling-back', 'stuck')],
  ['a provisioning that was abandoned', () => provisioning('rolling-back', 'stuck', 'abandoned')],
  ['a deprovisioning that is stuck', () => deprovisioning('committing', 'stuck')],
  ['a deprovisioning that was abandoned', () => deprovisioning('committing', 'stuck', 'abandoned')],
];
const verbs = ['retry', 'cancel', 'abandon', 'delete'] as const;

describe.each(waiting)('the advice on %s', (_situation, make) => {
  it.each(verbs)('offers %s exactly when the API accepts it', async (verb) => {
    const tenant = await make();
    const { attention } = await status(tenant);
    // None of these is in use, so that nothing of it can be repaired.
    expect(attention?.choices.map((choice) => choice.verb)).not.toContain('repair');
    expect((await requests.repair(tenant)).statusCode).toBe(409);
    const offered = attention?.choices.some((choice) => choice.verb === verb);
    const answer = await requests[verb](tenant);
    expect([200, 202, 409]).toContain(answer.statusCode);
    expect(offered).toBe(answer.statusCode !== 409);
  });
});

describe('a deletion that is refused because an operation is open', () => {
  const open: readonly (readonly [string, () => Promise<Tenant>])[] = [
    ['a provisioning that no run has claimed', accepted],
    ['a provisioning that runs', () => provisioning()],
    ['a provisioning that commits', () => provisioning('committing')],
    ['a provisioning that is rolled back', () => provisioning('rolling-back')],
    ['a deprovisioning that runs', () => deprovisioning()],
    ['a deprovisioning that commits', () => deprovisioning('committing')],
  ];
  it.each(open)('says to cancel it only when the API accepts that: %s', async (_situation, make) => {
    const tenant = await make();
    const refused = await requests.delete(tenant);
    expect(refused.statusCode).toBe(409);
    const { message } = refused.json<{ error: { message: string } }>().error;
    const cancelled = await requests.cancel(tenant);
    expect(message.includes('cancel it')).toBe(cancelled.statusCode === 202);
  });
});

describe('the status', () => {
  it.each([
    ['succeeds after a hold', () => provisioning('holding', 'running', 'committing', 'succeeded')],
    ['goes on after a hold', () => provisioning('holding', 'running')],
    ['removes a tenant again after it was stuck', () => deprovisioning('committing', 'stuck', 'committing')],
    ['has removed a tenant after it was stuck', () => deprovisioning('committing', 'stuck', 'committing', 'succeeded')],
  ])('of an operation that %s carries no failure of what was before', async (_situation, make) => {
    const tenant = await make();
    expect(await status(tenant)).not.toHaveProperty('error');
    const url = `/api/v1/tenants/${tenant.tenantId}/operations/${tenant.operationId}`;
    expect((await api.app.inject(url)).json()).not.toHaveProperty('failure');
  });

  it('of the deprovisioning of a failed tenant does not give the failure of its provisioning', async () => {
    const tenant = await provisioning('rolling-back', 'stuck');
    expect((await status(tenant)).error).toMatchObject(failure);
    expect((await requests.delete(tenant)).statusCode).toBe(202);
    expect(await status(tenant)).not.toHaveProperty('error');
  });

  it('counts for a deprovisioning the steps that were begun and can be removed', async () => {
    const tenant = await deprovisioning();
    for (const [stepId, kind, state] of [
      ['create_dns', 'dns-record', 'removed'],
      ['create_target_group:backend', 'target-group', 'ready'],
      ['finalize', 'tenant-activation', 'ready'],
    ])
      await api.database.query(
        `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
         values ($1, $2, 'default', $3, $4, $5, 1)`,
        [tenant.tenantId, stepId, kind, tenant.operationId, state],
      );
    const { stepsDone, stepsTotal } = await status(tenant);
    expect([stepsDone, stepsTotal]).toEqual([['create_dns'], 3]);
    expect((await status(await provisioning())).stepsTotal).toBe(14);
  });
});
