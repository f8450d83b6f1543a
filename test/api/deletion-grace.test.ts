import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listEvents } from '../../src/db/events.ts';
import { recordRunLoss } from '../../src/activities/run-loss.ts';
import { changeOperationState, findOperation } from '../../src/db/operations.ts';
import { systemCaller } from '../../src/process-caller.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

const workerCaller = systemCaller('worker');
const statesBeforeCommit = ['running', 'holding', 'stuck'] as const;
const DAY_MS = 86_400_000;
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({ deletionGraceMs: 7 * DAY_MS });
});
afterAll(() => api.close());

interface Body {
  tenantId: string;
  operationId: string;
  workflowId: string;
  status: string;
  message: string;
  deletesAt: string | null;
  graceSeconds: number | null;
  outcome: { message: string } | null;
  attention: { choices: { verb: string; effect: string }[] };
  tenants: { deletesAt: string | null }[];
  error: { code: string; message: string };
}
type Tenant = Body & { readonly slug: string };

let counter = 0;
async function created(): Promise<Tenant> {
  const slug = `grace-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  return { ...answer.json<Body>(), slug };
}
async function active(): Promise<Tenant> {
  const tenant = await created();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function send(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<Body & { code: number }> {
  const answer = await api.app.inject({ method, url: `/api/v1/tenants/${path}` });
  return { code: answer.statusCode, ...answer.json<Body>() };
}
const remove = ({ tenantId, slug }: Tenant, more = '') => send('DELETE', `${tenantId}?confirm=${slug}${more}`);
/** The ledger then knows a step that holds data. */
const holdData = ({ tenantId, operationId }: Tenant) =>
  recordIntent(api.database, {
    key: { tenantId, operationId, cell: 'default', stepId: 'create_schema', kind: 'postgres-schema', generation: 1 },
    resources: [{ type: 'postgres:schema', name: 'tenant_1' }],
    ...{ latenessMs: 0, attempt: 1, sawMade: false },
  });
/** One that its creation has left broken. */
async function broken(): Promise<Tenant> {
  const tenant = await created();
  const { operationId, tenantId } = tenant;
  await api.orchestrator.claim(operationId);
  const key = { tenantId, cell: 'default', operationId, stepId: 'logs', generation: 1 };
  await recordIntent(api.database, {
    ...{ key: { ...key, kind: 'log-group' }, resources: [{ type: 'logs:log-group', name: tenant.slug }] },
    ...{ latenessMs: 0, attempt: 1, sawMade: false },
  });
  await api.move(tenantId, ['rolling-back', 'stuck'], ['creating', 'failed']);
  return tenant;
}
const inDays = (iso: string | null) => (Date.parse(iso ?? '') - Date.now()) / DAY_MS;
/** A deletion whose run was lost in its grace period. */
async function lost(): Promise<Body> {
  const tenant = await active();
  const deletion = await remove(tenant);
  await api.orchestrator.claim(deletion.operationId);
  api.orchestrator.end(tenant.workflowId);
  const { database } = api;
  const operation = (await findOperation(database, deletion.operationId))!;
  await recordRunLoss(database, { operation, ended: 'it is TERMINATED', completed: false }, workerCaller);
  return { ...deletion, tenantId: tenant.tenantId };
}
/** As if its grace period had ended. */
const endGrace = (operationId: string) =>
  api.database.query(`update operations set grace_until = now() - interval '1 second' where id = $1`, [operationId]);

describe('what DELETE keeps of the data', () => {
  it('is nothing in a cell without an archive, and its preview and answer say so; an export is refused there', async () => {
    const tenant = await created();
    await api.move(tenant.tenantId, ['running'], ['validating']);
    await holdData(tenant);
    await api.move(tenant.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(tenant.workflowId);
    const detail = 'NO final dump: cell default has no archive in the platform description; the data is gone for good';
    const finalDump = { kept: false, detail, bucket: null, retentionDays: null, export: false };
    expect(await send('DELETE', `${tenant.tenantId}?dryRun=true`)).toMatchObject({
      finalDump,
      residues: [{ stepId: 'create_schema', type: 'secretsmanager:secret', days: 7 }],
    });
    expect(await remove(tenant, '&export=true')).toMatchObject({
      code: 400,
      error: {
        code: 'INVALID_INPUT',
        details: { fields: [{ field: 'querystring.export', problem: `nothing can be exported: ${detail}` }] },
      },
    });
    expect(await remove(tenant)).toMatchObject({
      code: 202,
      finalDump,
      message: expect.stringContaining(detail) as unknown,
    });
  });

  it('is nothing of a tenant that was never active', async () => {
    const tenant = await created();
    await holdData(tenant);
    await api.move(tenant.tenantId, ['running', 'stuck'], ['validating', 'failed']);
    const detail = 'no final dump: the tenant was never active, so it never held live data';
    expect(await remove(tenant)).toMatchObject({ code: 202, finalDump: { kept: false, detail } });
  });
});

describe('DELETE with a grace period', () => {
  it('says when it begins to remove, everywhere, as the installation has it', async () => {
    const tenant = await active();
    const accepted = await remove(tenant);
    expect([accepted.code, accepted.status]).toEqual([202, 'deleting']);
    expect(inDays(accepted.deletesAt)).toBeCloseTo(7, 2);
    expect(accepted.message).toContain(`nothing is removed before ${accepted.deletesAt}`);
    await api.orchestrator.claim(accepted.operationId);
    const shown = await Promise.all(
      ['', '/status', `/operations/${accepted.operationId}`].map((path) => send('GET', `${tenant.tenantId}${path}`)),
    );
    expect(shown.map(({ deletesAt }) => deletesAt)).toEqual(Array(3).fill(accepted.deletesAt));
    expect(shown[0]?.status).toBe('deleting');
    const { tenants } = (await api.app.inject({ url: `/api/v1/tenants?slug=${tenant.slug}` })).json<Body>();
    expect(tenants).toMatchObject([{ deletesAt: accepted.deletesAt }]);
    expect(
      (await listEvents(api.database, tenant.tenantId)).find((e) => e.operationId === accepted.operationId),
    ).toMatchObject({ type: 'operation.accepted', data: { graceUntil: accepted.deletesAt } });
  });

  it('takes another one from the request, and none', async () => {
    expect(inDays((await remove(await active(), '&grace=2d')).deletesAt)).toBeCloseTo(2, 2);
    expect(await remove(await active(), '&grace=0')).toMatchObject({ code: 202, deletesAt: null });
    for (const bad of ['91d', '1', 'P2D', 'soon', ''])
      expect(await remove(await active(), `&grace=${bad}`), bad).toMatchObject({
        code: 400,
        error: { code: 'INVALID_INPUT' },
      });
  });

  it('is previewed as it would be: of the installation, of the request, and none where there is no way back', async () => {
    const previewed = async (tenant: Tenant, more = '') =>
      (await send('DELETE', `${tenant.tenantId}?dryRun=true${more}`)).graceSeconds;
    const [tenant, left] = [await active(), await broken()];
    const seen = [await previewed(tenant), await previewed(tenant, '&grace=90m'), await previewed(tenant, '&grace=0')];
    expect(seen).toEqual([(7 * DAY_MS) / 1_000, 90 * 60, 0]);
    expect([await previewed(left), await previewed(left, '&grace=2d')]).toEqual([0, 0]);
    const nothing = await created();
    await api.move(nothing.tenantId, ['running', 'rolling-back', 'rolled-back'], ['validating', 'failed']);
    expect(await previewed(nothing, '&grace=2d')).toBeNull();
    expect(inDays((await remove(tenant, '&grace=90m')).deletesAt)).toBeCloseTo(90 / 1_440, 2);
  });

  it('answers another DELETE with the date, and with what ends it', async () => {
    const tenant = await active();
    const { deletesAt } = await remove(tenant);
    const { code, error } = await remove(tenant, '&grace=0');
    expect([code, error.code]).toEqual([409, 'OPERATION_IN_PROGRESS']);
    expect(error.message).toContain(`it begins at ${deletesAt}, and until then \`cancel\` ends it`);
  });

  it('is cancelled before a run has claimed it, and the tenant is as it was', async () => {
    const tenant = await active();
    const { operationId } = await remove(tenant);
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 202, status: 'active' });
    expect(await findOperation(api.database, operationId)).toMatchObject({ state: 'cancelled' });
    expect(await send('GET', tenant.tenantId)).toMatchObject({
      status: 'active',
      deletesAt: null,
      outcome: {
        message: 'the deletion was cancelled in its grace period, and the tenant is as it was before',
      },
    });
    api.orchestrator.end(tenant.workflowId);
    expect((await remove(tenant)).code).toBe(202);
  });

  it('is cancelled while its run waits, which is told, and not once it is over', async () => {
    const tenant = await active();
    const { operationId } = await remove(tenant);
    await api.orchestrator.claim(operationId);
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 202, status: 'active' });
    expect(api.orchestrator.closed.get(operationId)).toBe('cancelled');
    expect(await findOperation(api.database, operationId)).toMatchObject({
      state: 'cancelled',
      cancelRequestedAt: expect.any(Date) as unknown,
    });
    const again = await remove(tenant);
    await api.orchestrator.claim(again.operationId);
    await endGrace(again.operationId);
    const { code, error } = await send('POST', `${tenant.tenantId}/cancel`);
    expect([code, error.code]).toEqual([409, 'NOT_CANCELLABLE']);
    expect(error.message).toContain('after its grace period');
  });

  it('is cancelled while Temporal is unavailable, and its run is told before the next operation begins', async () => {
    const tenant = await active();
    const { operationId } = await remove(tenant);
    await api.orchestrator.claim(operationId);
    api.orchestrator.unreachable = true;
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 202, status: 'active' });
    api.orchestrator.unreachable = false;
    expect(await findOperation(api.database, operationId)).toMatchObject({ state: 'cancelled' });
    const changed = await api.database.transaction((tx) =>
      changeOperationState(tx, operationId, statesBeforeCommit, 'committing'),
    );
    expect(changed).toBeUndefined();
    const next = await findOperation(api.database, (await remove(tenant)).operationId);
    expect(await api.client.startAccepted(workerCaller, next!)).toBe('already-open');
    expect(api.orchestrator.closed.get(operationId)).toBe('cancelled');
    expect(await api.client.startAccepted(workerCaller, next!)).toBe('started');
  });

  it('gives none to a tenant that another operation has left broken', async () => {
    expect(await remove(await broken(), '&grace=2d')).toMatchObject({ code: 202, deletesAt: null });
  });

  it('that lost its run while it waited is cancelled while its grace period lasts', async () => {
    const { tenantId, operationId, deletesAt } = await lost();
    const { attention } = (await api.app.inject({ url: `/api/v1/tenants/${tenantId}/status` })).json<Body>();
    expect(attention.choices.map(({ verb }) => verb).sort()).toEqual(['abandon', 'cancel', 'delete', 'retry']);
    expect(attention.choices.find(({ verb }) => verb === 'retry')?.effect).toContain(`removed before ${deletesAt}`);
    expect(await send('POST', `${tenantId}/cancel`)).toMatchObject({ code: 202, status: 'active' });
    expect(await findOperation(api.database, operationId)).toMatchObject({ state: 'cancelled', failure: null });
    expect(await send('GET', tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
  });

  it.each([false, true])('that lost its run and is abandoned leaves its tenant as it was (over: %s)', async (over) => {
    const { tenantId, operationId } = await lost();
    if (over) await endGrace(operationId);
    const payload = { reason: 'the run was terminated' };
    const answer = await api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/abandon`, payload });
    expect(answer.statusCode).toBe(200);
    expect(await findOperation(api.database, operationId)).toMatchObject({ state: 'abandoned' });
    expect(await send('GET', tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
  });

  it('that lost its run while it waited gives the next one a grace period, and the same way back', async () => {
    const tenant = await active();
    const first = await remove(tenant);
    await api.orchestrator.claim(first.operationId);
    await api.move(tenant.tenantId, ['stuck']);
    const second = await remove(tenant);
    expect(inDays(second.deletesAt)).toBeCloseTo(7, 2);
    expect(await findOperation(api.database, second.operationId)).toMatchObject({ statusBefore: 'active' });
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 202, status: 'active' });
  });
});
