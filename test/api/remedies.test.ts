import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adviceOn } from '../../src/contracts/advice.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.unreachable = false;
});

interface Accepted {
  readonly tenantId: string;
  readonly operationId: string;
  readonly workflowId: string;
}
let counter = 0;
const post = (path: string, payload?: object) =>
  api.app.inject({ method: 'POST', url: `/api/v1/tenants${path}`, ...(payload && { payload }) });
async function claimed() {
  const slug = `remedy-${(counter += 1)}`;
  const tenant = (await post('', { ...acme, slug })).json<Accepted>();
  await api.orchestrator.claim(tenant.operationId);
  return { ...tenant, slug };
}
async function active() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function deleted() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['rolling-back', 'rolled-back'], ['creating', 'failed']);
  await remove(tenant);
  return tenant;
}
const remove = ({ tenantId, slug }: { tenantId: string; slug: string }) =>
  api.app.inject({ method: 'DELETE', url: `/api/v1/tenants/${tenantId}?confirm=${slug}` });
const abandon = ({ tenantId }: Accepted) => post(`/${tenantId}/abandon`, { reason: 'kept' });

const refusals: Record<string, () => Promise<{ json<T>(): T }>> = {
  'NOT_CANCELLABLE of an active tenant': async () => post(`/${(await active()).tenantId}/cancel`),
  'NOT_CANCELLABLE of a deprovisioning': async () => {
    const tenant = await active();
    await remove(tenant);
    return post(`/${tenant.tenantId}/cancel`);
  },
  'NOTHING_TO_RETRY of an active tenant': async () => post(`/${(await active()).tenantId}/retry`),
  'NOTHING_TO_RETRY of a run at work': async () => post(`/${(await claimed()).tenantId}/retry`),
  'NOT_STUCK of an active tenant': async () => abandon(await active()),
  'NOT_STUCK of a run at work': async () => abandon(await claimed()),
  'TENANT_NOT_DELETABLE of a deleted tenant': async () => remove(await deleted()),
  'OPERATION_IN_PROGRESS of a run at work': async () => remove(await claimed()),
  'SLUG_TAKEN by an active tenant': async () => post('', { ...acme, slug: (await active()).slug }),
  'TENANT_NOT_FOUND of an id': () => api.app.inject(`/api/v1/tenants/${randomUUID()}`),
  'UNKNOWN_PRODUCT of a typing error': () => post('', { ...acme, product: 'moamalet', slug: 'unknown' }),
  'CONFIRMATION_REQUIRED of no confirmation': async () =>
    api.app.inject({ method: 'DELETE', url: `/api/v1/tenants/${(await active()).tenantId}` }),
  'ORCHESTRATOR_UNAVAILABLE of a creation': () => {
    api.orchestrator.unreachable = true;
    return post('', { ...acme, slug: 'unreachable' });
  },
  'DATABASE_UNAVAILABLE of a list': () => {
    api.proxy.addRule({ match: { contains: ['from tenants'] }, fault: { type: 'cut', when: 'before' } });
    return api.app.inject('/api/v1/tenants');
  },
};

/** Runs of three words. */
function phrases(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z`<>?=]+/g) ?? [];
  return words.slice(2).map((_, i) => words.slice(i, i + 3).join(' '));
}

describe('what the table of errors says to do', () => {
  it.each(Object.entries(refusals))('adds to the message of %s, and does not repeat it', async (name, refuse) => {
    const { code, message } = (await refuse()).json<{ error: { code: string; message: string } }>().error;
    expect(name).toContain(code);
    const said = phrases(message);
    expect(phrases(adviceOn(code)!.text).filter((phrase) => said.includes(phrase))).toEqual([]);
  });

  it.each(['SLUG_TAKEN', 'NOT_STUCK', 'NOT_CANCELLABLE', 'TENANT_NOT_DELETABLE'])(
    'claims nothing about the tenant at hand that only its message can know: %s',
    (code) => {
      expect(adviceOn(code)!.text).not.toMatch(/\b(30 days|wait until|is gone|is a deprovisioning)\b/);
    },
  );
});
