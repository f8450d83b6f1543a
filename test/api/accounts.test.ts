import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { createTenantryClient } from '../../src/client/tenantry.ts';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import { tenantStatuses, type TenantStatus } from '../../src/contracts/tenant-status.ts';
import { provisioningStatuses, tenantStatusesOf } from '../../src/products/accounts/provisioning-status.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';
import { acmeAccount, SHARED_TABLE, withAccounts } from './accounts-fixture.ts';
import { containing, matching } from './matchers.ts';

/** Of the installation: a test switches accounts off. */
const switchedOff: Record<string, string> = {};
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({ ...withAccounts, switchedOff });
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
  delete switchedOff.accounts;
});

type Answer = Awaited<ReturnType<ApiFixture['app']['inject']>>;
interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details?: { readonly fields?: readonly { readonly field: string; readonly problem: string }[] };
}
interface Account {
  readonly id: string;
  readonly operationId: string;
  readonly provisioningStatus: string;
}

const errorOf = (answer: Answer) => answer.json<{ error: ErrorBody }>().error;
const refusal = (answer: Answer) => [answer.statusCode, errorOf(answer).code];
const post = (body: object, query = '?wait=false') =>
  api.app.inject({ method: 'POST', url: `/accounts${query}`, payload: body });
const get = (path: string) => api.app.inject(`/accounts${path}`);
const remove = (id: string, query: string) => api.app.inject({ method: 'DELETE', url: `/accounts/${id}${query}` });

async function accepted(body: object = acmeAccount): Promise<Account> {
  const answer = await post(body);
  expect(answer.statusCode, answer.body).toBe(202);
  return answer.json<Account>();
}

/** Plays the worker of an account's open operation: claims it and moves it on. */
async function play(
  account: Account,
  states: readonly OperationState[],
  statuses: readonly TenantStatus[],
): Promise<void> {
  await api.orchestrator.claim(account.operationId);
  await api.move(account.id, states, statuses);
  api.orchestrator.end(workflowIdOf(account.id));
}
const workflowIdOf = (id: string) => `tenant.accounts.${id}`;

async function active(body: object = acmeAccount): Promise<Account> {
  const account = await accepted(body);
  await play(account, ['committing', 'succeeded'], ['creating', 'active']);
  return account;
}

/** The account that a request in flight has made. */
async function newest(): Promise<Account> {
  for (let n = 0; n < 500; n += 1) {
    const [run] = [...api.orchestrator.open.values()].filter(({ product }) => product === 'accounts').slice(-1);
    if (run) return { id: run.tenantId, operationId: run.operationId, provisioningStatus: 'pending' };
    await sleep(10);
  }
  throw new Error('no run of an account within 5 s');
}

describe('POST /accounts', () => {
  it('makes a tenant whose slug is its id, and answers 201 once a public account is active', async () => {
    const answering = post(acmeAccount, '');
    const { id, operationId, ...account } = await newest();
    await play({ id, operationId, ...account }, ['committing', 'succeeded'], ['creating', 'active']);
    const answer = await answering;
    expect([answer.statusCode, answer.headers.location]).toEqual([201, `/accounts/${id}`]);
    expect(answer.json()).toMatchObject({
      ...acmeAccount,
      ...{
        id,
        operationId,
        tableName: SHARED_TABLE,
        provisioningStatus: 'active',
        statusUrl: `/accounts/${id}/status`,
      },
    });
    const tenant = await api.app.inject(`/api/v1/tenants/${id}`);
    expect(tenant.json()).toMatchObject({
      ...{ product: 'accounts', tier: 'public', slug: id, displayName: acmeAccount.name },
      contactEmail: acmeAccount.technicalUser.email,
    });
    const { id: _id, ...read } = (await get(`/${id}`)).json<Record<string, unknown>>();
    expect(answer.json()).toMatchObject({ ...read, updatedAt: expect.any(String) as unknown });
  });

  it('answers 202 for a private account as soon as a worker has begun it, and knows its table', async () => {
    const answering = post({ ...acmeAccount, cloudType: 'private' }, '');
    const account = await newest();
    await api.orchestrator.claim(account.operationId);
    const answer = await answering;
    expect(answer.statusCode).toBe(202);
    const tableName = `app-prod-account-${account.id}`;
    expect(answer.json()).toMatchObject({ cloudType: 'private', provisioningStatus: 'creating', tableName });
    await api.move(account.id, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(workflowIdOf(account.id));
    expect((await get(`/${account.id}`)).json()).toMatchObject({ provisioningStatus: 'active', tableName });
  });

  it('waits for a private one where it is asked to, and gives the reason of one that fails', async () => {
    const failure = { code: 'SERVICE_FAILED', message: 'the stack failed', stepId: 'create_stack', detail: 'no key' };
    const answering = post({ ...acmeAccount, cloudType: 'private' }, '?wait=true');
    const account = await newest();
    await api.orchestrator.claim(account.operationId);
    await api.database.query('update operations set failure = $2 where id = $1', [account.operationId, failure]);
    await api.move(account.id, ['rolling-back', 'rolled-back'], ['failed']);
    api.orchestrator.end(workflowIdOf(account.id));
    const answer = await answering;
    expect(answer.statusCode).toBe(202);
    const provisioning = {
      provisioningStatus: 'failed',
      provisioningError: 'SERVICE_FAILED at create_stack: the stack failed (no key)',
    };
    expect(answer.json()).toMatchObject(provisioning);
    for (const path of ['', '/status']) expect((await get(`/${account.id}${path}`)).json()).toMatchObject(provisioning);
    expect((await get(`/${account.id}`)).json()).toMatchObject({ tableName: null });
    const failed = (await get('?provisioningStatus=failed')).json<{ accounts: Account[] }>().accounts;
    expect(failed.find(({ id }) => id === account.id)).toMatchObject(provisioning);
    const removed = await remove(account.id, `?confirm=${account.id}`);
    expect([removed.statusCode, removed.json()]).toMatchObject([
      200,
      { id: account.id, provisioningStatus: 'deleted' },
    ]);
  });

  it('answers 202 when no worker begins it in time, and nothing is lost: a worker that comes later makes it', async () => {
    const answer = await post({ ...acmeAccount, cloudType: 'private' }, '');
    expect(answer.statusCode).toBe(202);
    const account = answer.json<Account>();
    expect(account.provisioningStatus).toBe('pending');
    await play(account, ['committing', 'succeeded'], ['creating', 'active']);
    expect((await get(`/${account.id}/status`)).json()).toMatchObject({ id: account.id, provisioningStatus: 'active' });
  });

  it('answers 202 with what was accepted when the account cannot be read meanwhile', async () => {
    const match = { application: 'api', startsWith: 'select id, product, tier' };
    const rule = api.proxy.addRule({ match, fault: { type: 'error', when: 'before', code: '53300' }, times: null });
    try {
      const answer = await post({ ...acmeAccount, cloudType: 'private' }, '');
      expect([answer.statusCode, answer.json<Account>().provisioningStatus]).toEqual([202, 'pending']);
      expect(api.proxy.hits(rule)).toBeGreaterThan(0);
    } finally {
      api.proxy.removeRule(rule);
    }
  });

  it('two at once with the same fields are two accounts', async () => {
    const both = await Promise.all([accepted(), accepted()]);
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
    const names = await Promise.all(
      both.map(async ({ id }) => (await get(`/${id}`)).json<{ masterAccountName: string }>()),
    );
    expect(names.map(({ masterAccountName }) => masterAccountName)).toEqual(['acme-master', 'acme-master']);
  });

  it('keeps nothing when Temporal does not take it', async () => {
    api.orchestrator.startFault = 'before';
    const count = async () => (await api.database.query(`select from tenants where status <> 'deleted'`)).rows.length;
    const before = await count();
    expect(refusal(await post(acmeAccount))).toEqual([503, 'ORCHESTRATOR_UNAVAILABLE']);
    expect(await count()).toBe(before);
  });

  it('takes addresses and licenses as left out, and says what a request would do without making anything', async () => {
    const { addresses: _addresses, licenses: _licenses, ...least } = acmeAccount;
    expect(await accepted(least)).toMatchObject({ addresses: [], licenses: [] });
    const before = (await get('?limit=200')).json<{ accounts: unknown[] }>().accounts.length;
    const preview = await post(acmeAccount, '?dryRun=true');
    expect(preview.statusCode).toBe(200);
    expect(preview.json()).toMatchObject({ dryRun: true, tenantId: null, operation: 'provision' });
    expect((await get('?limit=200')).json<{ accounts: unknown[] }>().accounts).toHaveLength(before);
  });

  const [license] = acmeAccount.licenses;
  it.each([
    ['nothing', {}, ['name', 'masterAccountName', 'cloudType', 'technicalUser']],
    ['fields that there are none of', { ...acmeAccount, slug: 'acme', tenantId: 'x' }, ['']],
    ['a wrong cloud type', { ...acmeAccount, cloudType: 'hybrid' }, ['cloudType']],
    ['a name of blanks', { ...acmeAccount, name: '  ' }, ['name']],
    ['no list', { ...acmeAccount, addresses: {}, licenses: 'none' }, ['addresses', 'licenses']],
    ['null', { ...acmeAccount, technicalUser: null }, ['technicalUser']],
    [
      'mistakes in several places',
      {
        ...acmeAccount,
        addresses: [{ ...acmeAccount.addresses[0], country: 'de', zip: '1' }],
        technicalUser: { name: 'Ada', email: 'nobody' },
        licenses: [{ ...license, startDate: '2026-01-01T00:00:00Z', productId: 'a#b' }],
      },
      ['addresses.0.country', 'addresses.0', 'technicalUser.email', 'licenses.0.productId', 'licenses.0.startDate'],
    ],
    [
      'an end before the start',
      { ...acmeAccount, licenses: [{ ...license, endDate: '2025-01-01' }] },
      ['licenses.0.endDate'],
    ],
    ['a license twice', { ...acmeAccount, licenses: [license, license] }, ['licenses.1']],
    [
      'too many licenses',
      { ...acmeAccount, licenses: Array.from({ length: 26 }, (_, i) => ({ ...license, serviceId: `svc-${i}` })) },
      ['licenses'],
    ],
    [
      'more text than a row takes',
      {
        ...acmeAccount,
        addresses: Array.from({ length: 10 }, () => ({ ...acmeAccount.addresses[0], line1: 'ä'.repeat(120) })),
      },
      ['addresses'],
    ],
  ])('refuses %s, and names every field', async (_what, body, fields) => {
    const answer = await post(body);
    expect(refusal(answer), answer.body).toEqual([400, 'INVALID_INPUT']);
    const named = errorOf(answer).details?.fields?.map(({ field }) => field);
    expect(named?.sort()).toEqual(fields.map((field) => ['body', ...(field === '' ? [] : [field])].join('.')).sort());
  });

  it('refuses parameters that there are none of, other media types and bodies that are no JSON', async () => {
    for (const query of ['?wait=maybe', '?wait=', '?dryRun=1', '?force=true'])
      expect(refusal(await post(acmeAccount, query)), query).toEqual([400, 'INVALID_INPUT']);
    const raw = (type: string, payload: string) =>
      api.app.inject({ method: 'POST', url: '/accounts', headers: { 'content-type': type }, payload });
    expect(refusal(await raw('text/plain', '{}'))).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    for (const payload of ['', '{', '[]', 'null'])
      expect((await raw('application/json', payload)).statusCode).toBe(400);
    expect((await api.app.inject({ method: 'PUT', url: '/accounts' })).statusCode).toBe(405);
  });
});

describe('an account', () => {
  it('has one of six words for each status of a tenant, and a list by that word', async () => {
    expect(provisioningStatuses.flatMap(tenantStatusesOf).sort()).toEqual([...tenantStatuses].sort());
    const account = await active({ ...acmeAccount, cloudType: 'private' });
    const seen: Record<string, string> = {};
    for (const status of ['migrating', 'active', 'updating', 'active', 'deleting', 'deleted'] as const) {
      await api.database.query('update tenants set status = $2 where id = $1', [account.id, status]);
      seen[status] = (await get(`/${account.id}`)).json<Account>().provisioningStatus;
      for (const word of provisioningStatuses) {
        const { accounts } = (await get(`?provisioningStatus=${word}&cloudType=private&limit=200`)).json<{
          accounts: Account[];
        }>();
        expect(
          accounts.some(({ id }) => id === account.id),
          `${status}: ${word}`,
        ).toBe(word === seen[status]);
      }
    }
    expect(seen).toEqual({
      ...{ migrating: 'active', active: 'active', updating: 'active' },
      deleting: 'deleting',
      deleted: 'deleted',
    });
    expect((await get(`/${account.id}`)).json()).toMatchObject({ tableName: null });
  });

  it('is read, removed and listed only as one: tenants of other products are no accounts', async () => {
    const created = await api.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: 'no-account' },
    });
    const { tenantId } = created.json<{ tenantId: string }>();
    const nobody = crypto.randomUUID();
    for (const id of [tenantId, nobody])
      for (const answer of [
        await get(`/${id}`),
        await get(`/${id}/status`),
        await remove(id, `?confirm=${id}`),
        await remove(id, '?confirm=no-account'),
        await remove(id, '?dryRun=true'),
      ]) {
        expect(refusal(answer)).toEqual([404, 'TENANT_NOT_FOUND']);
        expect(errorOf(answer).message).toBe(`there is no account ${id}`);
      }
    const { accounts } = (await get('?limit=200')).json<{ accounts: Account[] }>();
    expect(accounts.length).toBeGreaterThan(0);
    expect(accounts.map(({ id }) => id)).not.toContain(tenantId);
    expect(refusal(await get('/acme'))).toEqual([400, 'INVALID_INPUT']);
  });

  it('is paged newest first, and wrong filters are refused by name', async () => {
    const first = await accepted();
    const second = await accepted({ ...acmeAccount, cloudType: 'private' });
    const page = (await get('?limit=1')).json<{ accounts: Account[]; nextCursor: string }>();
    expect(page.accounts.map(({ id }) => id)).toEqual([second.id]);
    const next = (await get(`?limit=1&cursor=${page.nextCursor}`)).json<{ accounts: Account[] }>();
    expect(next.accounts.map(({ id }) => id)).toEqual([first.id]);
    const isPublic = (await get('?cloudType=public&limit=1')).json<{ accounts: Account[] }>();
    expect(isPublic.accounts.map(({ id }) => id)).toEqual([first.id]);
    for (const query of [
      'cloudType=hybrid',
      'provisioningStatus=suspended',
      'limit=0',
      'cursor=nonsense',
      'status=active',
    ])
      expect(refusal(await get(`?${query}`)), query).toEqual([400, 'INVALID_INPUT']);
  });

  it('made as a tenant, without settings, is one all the same', async () => {
    const tenant = { ...acme, product: 'accounts', tier: 'public', slug: undefined };
    const created = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: tenant });
    const { tenantId } = created.json<{ tenantId: string }>();
    expect((await get(`/${tenantId}`)).json()).toMatchObject({
      ...{
        id: tenantId,
        name: acme.displayName,
        masterAccountName: null,
        technicalUser: null,
        addresses: [],
        licenses: [],
      },
    });
  });
});

describe('DELETE /accounts', () => {
  it('needs the id typed back, and says so', async () => {
    const { id } = await active();
    for (const query of ['', '?confirm=', '?confirm=acme-master', `?confirm=${crypto.randomUUID()}`]) {
      const answer = await remove(id, query);
      expect(refusal(answer)).toEqual([400, 'CONFIRMATION_REQUIRED']);
      expect(errorOf(answer).message).toContain(`the id of account ${id}`);
    }
    expect((await get(`/${id}`)).json()).toMatchObject({ provisioningStatus: 'active' });
    const preview = await remove(id, '?dryRun=true');
    expect(preview.json()).toMatchObject({ dryRun: true, operation: 'deprovision' });
    expect(
      refusal(await api.app.inject({ method: 'DELETE', url: `/accounts/${id}?confirm=${id}`, payload: { id } })),
    ).toEqual([400, 'INVALID_INPUT']);
  });

  it('is accepted once by the first of two, and of a removed account the status says deleted', async () => {
    const { id } = await active();
    const answers = await Promise.all([remove(id, `?confirm=${id}`), remove(id, `?confirm=${id.toUpperCase()}`)]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([202, 409]);
    const done = answers.find(({ statusCode }) => statusCode === 202)!;
    expect(done.headers.location).toBe(`/accounts/${id}`);
    const account = done.json<Account>();
    expect(account).toMatchObject({
      id,
      message: containing('deletion'),
      statusUrl: `/accounts/${id}/status`,
      finalDump: { kept: false },
    });
    await play(account, ['committing', 'succeeded'], ['deleted']);
    expect((await get(`/${id}/status`)).json()).toMatchObject({ id, provisioningStatus: 'deleted' });
    expect((await get(`/${id}`)).json()).toMatchObject({
      provisioningStatus: 'deleted',
      ...{ tableName: null, technicalUser: null, addresses: [], licenses: [] },
      deletedAt: matching(/^2/),
    });
    expect(refusal(await remove(id, `?confirm=${id}`))).toEqual([409, 'TENANT_NOT_DELETABLE']);
    const listed = async (query: string) =>
      (await get(`?limit=200${query}`)).json<{ accounts: Account[] }>().accounts.some((each) => each.id === id);
    expect([await listed(''), await listed('&includeGone=true'), await listed('&provisioningStatus=deleted')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('waits for the end of its grace period', async () => {
    const { id } = await active();
    const answer = await remove(id, `?confirm=${id}&grace=2d`);
    expect(answer.statusCode).toBe(202);
    const { deletesAt } = answer.json<{ deletesAt: string }>();
    expect(Date.parse(deletesAt) - Date.now()).toBeGreaterThan(47 * 3_600_000);
    expect((await get(`/${id}`)).json()).toMatchObject({ deletesAt });
  });
});

describe('an installation', () => {
  it('that has accounts switched off makes none, by any door; those that there are can be read and removed', async () => {
    const { id } = await active();
    switchedOff.accounts = 'TENANTRY_ENABLE_ACCOUNT_PROVISIONING';
    const tenant = { ...acme, product: 'accounts', tier: 'public', slug: undefined };
    const tenants = (payload: object) => api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
    const move = (query: string) =>
      api.app.inject({
        method: 'POST',
        url: `/api/v1/tenants/${id}/migrate${query}`,
        payload: { tier: 'private' },
      });
    for (const answer of [
      await post(acmeAccount),
      await post(acmeAccount, '?dryRun=true'),
      await tenants(tenant),
      await move(''),
      await move('?dryRun=true'),
    ]) {
      expect(refusal(answer)).toEqual([403, 'FEATURE_DISABLED']);
      expect(errorOf(answer).message).toContain('TENANTRY_ENABLE_ACCOUNT_PROVISIONING=true');
    }
    expect((await tenants({ ...acme, slug: 'switched-on' })).statusCode).toBe(202);
    expect((await get(`/${id}`)).statusCode).toBe(200);
    expect((await remove(id, `?confirm=${id}`)).statusCode).toBe(202);
  });

  it('without the product has no such routes', async () => {
    const { orchestrator, database } = api;
    const catalog = createCatalog({ products: [moamalat] });
    const client = createTenantryClient({ database, orchestrator, ...withAccounts, catalog, log: api.app.log });
    const app = await buildApp({ client, codec: new EncryptionCodec([payloadKey]), log: api.app.log });
    try {
      for (const [answer, status] of [
        [await app.inject('/accounts'), 404],
        [await app.inject({ method: 'POST', url: '/accounts', payload: acmeAccount }), 404],
        [await app.inject('/api/v1/tenants'), 200],
      ] as const)
        expect(answer.statusCode).toBe(status);
      const { paths, tags } = (await app.inject('/openapi.json')).json<{ paths: object; tags: { name: string }[] }>();
      const named = [...Object.keys(paths), ...tags.map(({ name }) => name)];
      expect(named.filter((name) => name.includes('account'))).toEqual([]);
    } finally {
      await app.close();
      await client.close();
    }
  });
});
