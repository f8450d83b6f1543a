import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../src/client/audit.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
});

interface Tenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly url: string;
}

let counter = 0;
const fresh = () => ({ ...acme, slug: `truth-${(counter += 1)}` });
const send = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
  const answer = await api.app.inject({ method, url, ...(payload && { payload }) });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };
};
async function active(): Promise<Tenant> {
  const request = fresh();
  const { body } = await send('POST', '/api/v1/tenants', request);
  const { tenantId } = JSON.parse(body) as Tenant;
  await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(`tenant.moamalat.${request.slug}`);
  return { tenantId, slug: request.slug, url: `/api/v1/tenants/${tenantId}` };
}
async function entriesOf(query: string): Promise<AuditEntry[]> {
  return (JSON.parse((await send('GET', `/api/v1/audit?limit=100&${query}`)).body) as { entries: AuditEntry[] })
    .entries;
}
/** What somebody did by a request. */
const changesOf = async ({ headers }: { readonly headers: object & { 'x-request-id'?: unknown } }) =>
  (await entriesOf(`requestId=${String(headers['x-request-id'])}`)).filter(({ outcome }) => outcome !== 'recorded');

describe('what no run took', () => {
  it.each(['createTenant', 'scaleTenant', 'suspendTenant', 'deleteTenant'] as const)(
    '%s is withdrawn in the audit, and nowhere done',
    async (type) => {
      const { url, slug } = await active();
      const requests = {
        createTenant: () => send('POST', '/api/v1/tenants', fresh()),
        scaleTenant: () => send('POST', `${url}/scale`, { service: 'backend', count: 2 }),
        suspendTenant: () => send('POST', `${url}/suspend`),
        deleteTenant: () => send('DELETE', `${url}?confirm=${slug}`),
      };
      api.orchestrator.startFault = 'before';
      const refused = await requests[type]();
      expect([refused.status, refused.body]).toEqual([503, expect.stringContaining('ORCHESTRATOR_UNAVAILABLE')]);
      expect(await changesOf(refused)).toMatchObject([{ type, outcome: 'withdrawn' }]);
      const requestId = String(refused.headers['x-request-id']);
      expect(await entriesOf(`outcome=done&requestId=${requestId}`)).toEqual([]);
      expect(await entriesOf(`outcome=withdrawn&requestId=${requestId}`)).toMatchObject([{ type }]);
      const exported = await send('GET', `/api/v1/audit/export?outcome=withdrawn&requestId=${requestId}`);
      expect(JSON.parse(exported.body)).toMatchObject({ type, outcome: 'withdrawn' });
      api.orchestrator.startFault = undefined;
      expect(await changesOf(await requests[type]())).toMatchObject([{ type, outcome: 'done' }]);
    },
  );
});

describe('what a change found', () => {
  const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

  /** Sends a request while somebody renames the tenant, and lets that be there first. */
  async function behindRename({ tenantId }: Tenant, go: () => ReturnType<typeof send>) {
    return api.database.transaction(async (tx) => {
      await tx.query(`update tenants set display_name = 'Renamed' where id = $1`, [tenantId]);
      const answer = go();
      await vi.waitFor(async () => expect((await api.database.query(waiting)).rows).not.toHaveLength(0), 10_000);
      return () => answer;
    });
  }

  it('is what was there once nobody else changed it: a rename that came first is not put on its account', async () => {
    const tenant = await active();
    const answer = await behindRename(tenant, () =>
      send('POST', `${tenant.url}/scale`, { service: 'backend', count: 2 }),
    );
    const scaled = await answer();
    expect(scaled.status).toBe(202);
    expect(await changesOf(scaled)).toMatchObject([
      { before: { displayName: 'Renamed' }, after: { displayName: 'Renamed' } },
    ]);
  });

  it('is in the tag of an answer that says that nothing had to be changed', async () => {
    const tenant = await active();
    const answer = await behindRename(tenant, () => send('PATCH', tenant.url, { settings: {} }));
    const { status, headers, body } = await answer();
    expect([status, body]).toEqual([200, expect.stringContaining('"displayName":"Renamed"')]);
    expect(headers.etag).toBe((await send('GET', tenant.url)).headers.etag);
  });
});

describe('what changed nothing', () => {
  it.each([
    ['the same name', { displayName: acme.displayName }],
    ['no settings', { settings: {} }],
    ['nothing at all', {}],
  ])('leaves no entry: %s', async (_what, payload) => {
    const { url } = await active();
    const answer = await send('PATCH', url, payload);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { changed: [] }]);
    expect(await changesOf(answer)).toEqual([]);
  });

  it('leaves no entry: the mode that it is in, and an isolation that is wished for, or lifted, already', async () => {
    const { url } = await active();
    const twice = async (method: 'POST' | 'DELETE', payload?: object) => {
      const first = await changesOf(await send(method, `${url}/isolation`, payload));
      return [first.length, await changesOf(await send(method, `${url}/isolation`, payload))];
    };
    expect(await changesOf(await send('POST', `${url}/resume`))).toEqual([]);
    expect(await twice('POST', { reason: 'a breach' })).toEqual([1, []]);
    expect(await twice('DELETE')).toEqual([1, []]);
  });
});
