import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { insertFreeze, listFreezes } from '../../src/db/freezes.ts';
import { listOperationsOf } from '../../src/db/operations.ts';
import { testCaller as caller } from '../support/caller.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());
afterEach(async () => {
  for (const { id } of await listFreezes(api.database)) await send('DELETE', `/api/v1/freezes/${id}`);
});

interface Answer {
  tenantId: string;
  workflowId: string;
  freezeId: string;
  freezes: unknown[];
  error: { code: string; message: string; details: Record<string, unknown> };
}

async function send(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) {
  const answer = await api.app.inject({ method, url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}
let counter = 0;
const create = () => send('POST', '/api/v1/tenants', { ...acme, slug: `cold-${(counter += 1)}` });
async function active(): Promise<string> {
  const { body } = await create();
  await api.move(body.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(body.workflowId);
  return `/api/v1/tenants/${body.tenantId}`;
}
const freeze = (body: object) => send('POST', '/api/v1/freezes', { reason: 'database upgrade', ...body });

describe('a freeze', () => {
  it.each([{ product: 'moamalat' }, { cell: 'default' }, { product: 'moamalat', cell: 'default' }])(
    'of %j accepts no operation of any type, says why and whom to ask, and ends when it is lifted',
    async (scope) => {
      const url = await active();
      const { status, body } = await freeze(scope);
      expect([status, body]).toEqual([
        201,
        expect.objectContaining({ ...scope, by: 'local-operator', liftedAt: null }),
      ]);
      const requests = [
        () => create(),
        () => send('PATCH', url, { refresh: true }),
        () => send('POST', `${url}/scale`, { service: 'backend', count: 2 }),
        () => send('POST', `${url}/suspend`),
        () => send('POST', `${url}/repair`),
        () => send('POST', `${url}/repair?dryRun=true`),
        () => send('DELETE', `${url}?confirm=cold-${counter}`),
      ];
      for (const request of requests) {
        const slug = counter;
        const refused = await request();
        counter = slug;
        expect([refused.status, refused.body.error.code]).toEqual([423, 'FROZEN']);
        expect(refused.body.error.message).toMatch(/by local-operator: database upgrade.* ask local-operator/);
        expect(refused.body.error.details['freezeId']).toBe(body.freezeId);
      }
      expect((await send('GET', '/api/v1/freezes')).body.freezes).toHaveLength(1);
      expect((await send('DELETE', `/api/v1/freezes/${body.freezeId}`)).status).toBe(200);
      expect((await send('GET', '/api/v1/freezes')).body.freezes).toEqual([]);
      expect((await send('POST', `${url}/repair`)).status).toBe(202);
    },
  );

  it('leaves open operations to themselves: they take a cancel, and run on', async () => {
    const { body } = await create();
    await freeze({ product: 'moamalat' });
    expect((await send('POST', `/api/v1/tenants/${body.tenantId}/cancel`)).status).toBe(202);
  });

  it("of another product or cell is in nobody else's way", async () => {
    await api.database.transaction((tx) =>
      insertFreeze(tx, { id: crypto.randomUUID(), product: 'other', cell: 'default', reason: 'x', caller }),
    );
    expect((await create()).status).toBe(202);
  });

  it('of nothing, of an unknown product or an unknown cell is refused, as is one to lift that is not there', async () => {
    expect((await freeze({})).body.error.code).toBe('INVALID_INPUT');
    expect((await freeze({ product: 'nothing' })).body.error.code).toBe('UNKNOWN_PRODUCT');
    expect((await freeze({ cell: 'nowhere' })).body.error.code).toBe('INVALID_INPUT');
    const gone = await send('DELETE', `/api/v1/freezes/${crypto.randomUUID()}`);
    expect([gone.status, gone.body.error.code]).toEqual([404, 'FREEZE_NOT_FOUND']);
  });

  it('lets no operation be accepted once it is answered, however many were on their way', async () => {
    const urls = await Promise.all([active(), active(), active(), active()]);
    let answeredAt = Infinity;
    const repairs = urls.map(async (url) => ({ url, ...(await send('POST', `${url}/repair`)) }));
    const frozen = freeze({ product: 'moamalat' }).then(() => (answeredAt = Date.now()));
    const answers = await Promise.all(repairs);
    await frozen;
    expect(answers.every(({ status }) => status === 202 || status === 423)).toBe(true);
    for (const { url, status } of answers) {
      const [newest] = await listOperationsOf(api.database, url.slice(url.lastIndexOf('/') + 1));
      expect(newest?.type === 'repair').toBe(status === 202);
      if (status === 202) expect(newest!.acceptedAt.getTime()).toBeLessThanOrEqual(answeredAt);
    }
  });

  it('waits for an operation that is being accepted, and one that comes after waits for it', async () => {
    const url = await active();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    let begun = (): void => undefined;
    const entered = new Promise<void>((resolve) => (begun = resolve));
    const freezing = api.database.transaction(async (tx) => {
      await insertFreeze(tx, { id: crypto.randomUUID(), product: 'moamalat', cell: null, reason: 'held', caller });
      begun();
      await held;
    });
    await entered;
    const repair = send('POST', `${url}/repair`);
    expect(await Promise.race([repair, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))])).toBe('waits');
    finish();
    await freezing;
    expect((await repair).body.error.code).toBe('FROZEN');
  });
});
