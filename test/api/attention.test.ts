import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/contracts/errors.ts';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import type { TenantStatus } from '../../src/contracts/tenant-status.ts';
import type { AttentionView, EventView, StatusView } from '../../src/client/views.ts';
import { changeOperationState } from '../../src/db/operations.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import { markRemoving, recordRemovalFailure } from '../../src/db/step-removal.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { containing } from './matchers.ts';
import { testCaller } from '../support/caller.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

let counter = 0;
async function claimed() {
  const slug = `waits-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  const tenant = answer.json<{ tenantId: string; operationId: string }>();
  expect(await api.orchestrator.claim(tenant.operationId)).toBe(true);
  return { ...tenant, slug };
}
type Tenant = Awaited<ReturnType<typeof claimed>>;

const keyOf = ({ tenantId, operationId }: Tenant, stepId: string, kind: string) => ({
  tenantId,
  cell: 'default',
  operationId,
  stepId,
  kind,
  generation: 1,
});
const begin = (tenant: Tenant, stepId: string, kind: string, ...resources: { type: string; name: string }[]) =>
  recordIntent(api.database, {
    key: keyOf(tenant, stepId, kind),
    resources,
    latenessMs: 0,
    attempt: 1,
    sawMade: false,
  });
async function failRemoval(tenant: Tenant, stepId: string, kind: string, failure: Failure): Promise<void> {
  const key = keyOf(tenant, stepId, kind);
  await markRemoving(api.database, key);
  await recordRemovalFailure(api.database, key, { ...failure, stepId }, true);
}

const failure: Failure = {
  code: 'BackendFailed',
  message: 'Backend service failed to start',
  stepId: 'deploy_backend',
  detail: 'SERVICE_FAILED: step "deploy_backend" failed: the application exited with code 1',
};
const move = (tenant: Tenant, from: OperationState, to: OperationState, status: TenantStatus) =>
  api.database.transaction(async (tx) => {
    expect(await changeOperationState(tx, tenant.operationId, [from], to, { failure })).toBeDefined();
    const cleanupPending = to === 'stuck';
    await changeTenantStatus(tx, tenant.tenantId, status, { operationId: tenant.operationId, cleanupPending });
  });

async function stuck(): Promise<Tenant> {
  const tenant = await claimed();
  await begin(tenant, 'validate', 'slug-reservation');
  await begin(tenant, 'create_schema', 'postgres-schema', { type: 'postgres:schema', name: 'tenant_1' });
  await begin(tenant, 'create_task_definition:backend', 'task-definition', { type: 'ecs:task-definition', name: 'td' });
  await move(tenant, 'running', 'rolling-back', 'creating');
  const denied = { code: 'ACCESS_DENIED', message: 'ecs:Deregister failed', detail: 'AWS request id 1-2-3' };
  await failRemoval(tenant, 'create_task_definition:backend', 'task-definition', denied);
  await move(tenant, 'rolling-back', 'stuck', 'failed');
  return tenant;
}

/** As a worker records it of a database that was restored. */
async function behind(): Promise<Tenant> {
  const tenant = await stuck();
  const failure = { code: 'DATABASE_BEHIND', message: 'its run COMPLETED in Temporal' };
  await api.database.query('update operations set failure = $2::jsonb where id = $1', [
    tenant.operationId,
    JSON.stringify(failure),
  ]);
  return tenant;
}

const status = async ({ tenantId }: Tenant) =>
  (await api.app.inject(`/api/v1/tenants/${tenantId}/status`)).json<StatusView>();
const lastEvent = async ({ tenantId }: Tenant) =>
  (await api.client.events(testCaller, tenantId, { after: 0, limit: 100 })).findLast(
    (e) => e.type === 'operation.state',
  );
const verbs = (attention: AttentionView | undefined) => attention?.choices.map((choice) => choice.verb);
const commands = (attention: AttentionView | undefined) =>
  attention?.choices.map((choice) => choice.command).join('\n');

describe('an operation that holds', () => {
  it('says until when, what happens then, and what can be done; nothing of it is under way or left over', async () => {
    const tenant = await claimed();
    await begin(tenant, 'create_schema', 'postgres-schema', { type: 'postgres:schema', name: 'tenant_1' });
    await move(tenant, 'running', 'holding', 'creating');
    const { attention, ...rest } = await status(tenant);
    expect(Date.parse(attention?.until ?? '') - Date.parse(attention?.since ?? '')).toBe(30 * 60_000);
    expect(attention?.otherwise).toContain('at that time it rolls back');
    expect(verbs(attention)).toEqual(['retry', 'cancel']);
    expect(rest).toMatchObject({ currentStep: null, currentSteps: [], error: failure });
    expect(rest).not.toHaveProperty('leftovers');
    const event = await lastEvent(tenant);
    // The event is written a moment after the row.
    const { until } = event?.data as { until: string };
    expect(Math.abs(Date.parse(until) - Date.parse(attention?.until ?? ''))).toBeLessThan(1_000);
  });

  it('in a product’s own words is advised by the code that they stand for', async () => {
    const tenant = await claimed();
    await move(tenant, 'running', 'holding', 'creating');
    const page = { code: 'SERVICE_FAILED', runbook: 'docs/runbook.md#service_failed' };
    expect((await status(tenant)).attention?.advice).toMatchObject([page]);
    expect(await lastEvent(tenant)).toMatchObject({ advice: page } satisfies Partial<Record<keyof EventView, unknown>>);
  });
});

describe('an operation that is stuck', () => {
  it('names all that is left, why each thing is, since when, and what can be done', async () => {
    const tenant = await stuck();
    const { attention, leftovers } = await status(tenant);
    expect(leftovers).toEqual([
      {
        stepId: 'create_schema',
        type: 'postgres:schema',
        name: 'tenant_1',
        condition: 'left',
        reason: 'not tried: it goes after create_task_definition:backend',
      },
      {
        stepId: 'create_task_definition:backend',
        type: 'ecs:task-definition',
        name: 'td',
        code: 'ACCESS_DENIED',
        condition: 'left',
        reason: 'ACCESS_DENIED: ecs:Deregister failed (AWS request id 1-2-3)',
      },
    ]);
    expect(attention).toMatchObject({
      since: (await lastEvent(tenant))?.at,
      otherwise: containing('without a time limit'),
    });
    expect(attention?.until).toBeUndefined();
    expect(attention?.advice.map((advice) => advice.code)).toEqual(['ACCESS_DENIED']);
    expect(verbs(attention)).toEqual(['retry', 'delete', 'abandon']);
    expect(commands(attention)).toContain(`tenantry tenants delete ${tenant.tenantId} --confirm ${tenant.slug}\n`);
  });

  it('at a step without any resource still says what is left', async () => {
    const tenant = await claimed();
    await begin(tenant, 'validate', 'slug-reservation');
    await move(tenant, 'running', 'rolling-back', 'creating');
    await failRemoval(tenant, 'validate', 'slug-reservation', { code: 'OUTSIDE_CELL', message: 'no cell "x"' });
    await move(tenant, 'rolling-back', 'stuck', 'failed');
    expect((await status(tenant)).leftovers).toEqual([
      {
        stepId: 'validate',
        type: 'slug-reservation',
        name: 'validate',
        code: 'OUTSIDE_CELL',
        condition: 'left',
        reason: 'OUTSIDE_CELL: no cell "x"',
      },
    ]);
  });

  it('and is abandoned is on record with why, who and which request, and what is left is shown until a DELETE', async () => {
    const tenant = await stuck();
    const payload = { reason: 'kept for the auditors', by: 'ops@laptop' };
    const url = `/api/v1/tenants/${tenant.tenantId}`;
    const answer = await api.app.inject({ method: 'POST', url: `${url}/abandon`, payload });
    expect(answer.statusCode).toBe(200);
    const { data } = (await lastEvent(tenant)) ?? {};
    expect(data).toMatchObject({ from: 'stuck', to: 'abandoned', ...payload });
    expect(api.logged.some((line) => line.includes(String(data?.requestId)))).toBe(true);
    const after = await status(tenant);
    expect(after).toMatchObject({ operation: { state: 'abandoned' }, cleanupPending: true });
    expect(after.leftovers).toHaveLength(2);
    expect(verbs(after.attention)).toEqual(['delete']);
    const removal = await api.app.inject({ method: 'DELETE', url: `${url}?confirm=${tenant.slug}` });
    expect(removal.statusCode).toBe(202);
    expect(await status(tenant)).not.toHaveProperty('attention');
  });

  it('is superseded by a DELETE, after which nothing waits for a person', async () => {
    const tenant = await stuck();
    const url = `/api/v1/tenants/${tenant.tenantId}?confirm=${tenant.slug}`;
    expect((await api.app.inject({ method: 'DELETE', url })).statusCode).toBe(202);
    const after = await status(tenant);
    expect(after.operation).toMatchObject({ type: 'deprovision', state: 'accepted' });
    expect(after).not.toHaveProperty('attention');
    expect(after).not.toHaveProperty('leftovers');
  });
});

describe('an operation that ended in Temporal and is open in this database', () => {
  it('offers nothing that removes a tenant which may be live, also once it is abandoned', async () => {
    const tenant = await behind();
    const { attention } = await status(tenant);
    expect(verbs(attention)).toEqual(['abandon']);
    expect(attention?.choices[0]?.effect).toContain('nothing is removed');
    const payload = { reason: 'the tenant is live' };
    const url = `/api/v1/tenants/${tenant.tenantId}/abandon`;
    expect((await api.app.inject({ method: 'POST', url, payload })).statusCode).toBe(200);
    const after = await status(tenant);
    expect(after).toMatchObject({ operation: { state: 'abandoned' }, error: { code: 'DATABASE_BEHIND' } });
    expect(verbs(after.attention)).toEqual([]);
    expect(after.attention?.advice).toMatchObject([
      { code: 'DATABASE_BEHIND', text: expect.stringContaining('docs/backup.md') as unknown },
    ]);
  });
});

describe('a reason', () => {
  it('is at most 500 characters, and whoever gives it at most 200', async () => {
    const { tenantId } = await stuck();
    const ask = (payload: object) =>
      api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/abandon`, payload });
    for (const payload of [
      { reason: 'x'.repeat(501) },
      { reason: 'x', by: 'y'.repeat(201) },
      { reason: 'x', by: '\n' },
    ])
      expect((await ask(payload)).statusCode).toBe(400);
    expect((await ask({ reason: 'x'.repeat(500) })).statusCode).toBe(200);
  });
});

describe('the list of tenants', () => {
  it('shows open operations, and finds those in a state and those of a slug', async () => {
    const [waiting, running] = [await stuck(), await claimed()];
    const ask = async (query: string) =>
      (await api.app.inject(`/api/v1/tenants?${query}`)).json<{
        tenants: { tenantId: string; openOperation: { state: string } | null }[];
      }>().tenants;
    const found = await ask('operation=stuck&limit=200');
    expect(found.map((t) => t.tenantId)).toContain(waiting.tenantId);
    expect(new Set(found.map((t) => t.openOperation?.state))).toEqual(new Set(['stuck']));
    expect(await ask(`slug=${running.slug}`)).toMatchObject([
      { tenantId: running.tenantId, openOperation: { type: 'provision', state: 'running' } },
    ]);
    expect((await api.app.inject('/api/v1/tenants?operation=succeeded')).statusCode).toBe(400);
  });
});
