import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { acmeAccount, withAccounts } from './accounts-fixture.ts';
import { containing, matching } from './matchers.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(withAccounts);
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
});

interface Account {
  readonly id: string;
  readonly operationId: string;
  readonly openOperation: { readonly type: string; readonly state: string } | null;
}
interface Fields {
  readonly error: { readonly message: string; readonly code: string; readonly details?: { readonly fields: object[] } };
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
const send = async (method: Method, url: string, payload?: object) => {
  const answer = await api.app.inject({ method, url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Account & Fields & Record<string, unknown>>() };
};
const fieldsOf = ({ body }: { readonly body: Fields }) => body.error.details?.fields;

async function accepted(body: object = acmeAccount): Promise<Account> {
  return (await send('POST', '/accounts?wait=false', body)).body;
}

async function end({ id, operationId }: Account, ...statuses: ('creating' | 'active' | 'deleted')[]): Promise<void> {
  await api.orchestrator.claim(operationId);
  await api.move(id, ['committing', 'succeeded'], statuses);
  api.orchestrator.end(`tenant.accounts.${id}`);
}

async function active(body?: object): Promise<Account> {
  const account = await accepted(body);
  await end(account, 'creating', 'active');
  return account;
}

/** The operation was claimed before the answer, or was not: the two ends of a chance. */
const chances = [undefined, 'after-claim'] as const;

/** What is the same of two answers, as nothing of it is the account's own. */
function decided({ id, body }: { readonly id: string; readonly body: Account & Record<string, unknown> }) {
  const { message, openOperation, provisioningStatus, status } = body;
  const { state, type } = openOperation ?? {};
  return JSON.parse(
    JSON.stringify({ message, state, type, provisioningStatus, status }).replaceAll(id, '<id>'),
  ) as object;
}

async function answersOf(request: (id: string) => Promise<{ body: Account & Record<string, unknown> }>) {
  const seen: object[] = [];
  for (const chance of chances) {
    const { id } = await active();
    api.orchestrator.startFault = chance;
    seen.push(decided({ id, body: (await request(id)).body }));
    api.orchestrator.startFault = undefined;
  }
  return seen;
}

describe('an answer that something was accepted', () => {
  it.each([
    ['a deletion', 'deprovision', 'deleting', (id: string) => send('DELETE', `/accounts/${id}?confirm=${id}`)],
    ['a move', 'migrate', 'active', (id: string) => send('POST', `/accounts/${id}/move`)],
    ['a change', 'update', 'active', (id: string) => send('PATCH', `/accounts/${id}`, { name: 'Other' })],
  ] as const)('says the same of %s, however fast a worker is', async (_what, type, provisioningStatus, request) => {
    const [slow, fast] = await answersOf(request);
    expect(slow).toMatchObject({ type, state: 'accepted', provisioningStatus, message: containing('is accepted') });
    expect(fast).toEqual(slow);
  });

  it.each([
    ['a deletion', 'deleting', (id: string) => send('DELETE', `/api/v1/tenants/${id}?confirm=${id}`)],
    ['a move', 'active', (id: string) => send('POST', `/api/v1/tenants/${id}/migrate`, { tier: 'private' })],
  ] as const)('says the same of %s of a tenant', async (_what, status, request) => {
    const [slow, fast] = await answersOf(request);
    expect(slow).toMatchObject({ status, state: 'accepted' });
    expect(fast).toEqual(slow);
  });
});

describe('an operation in progress', () => {
  it('is seen in the account and in the list, with its type and since when, until it ends', async () => {
    const { id } = await active();
    const seen = async () => {
      const { accounts } = (await send('GET', '/accounts?limit=200')).body as unknown as { accounts: Account[] };
      const listed = accounts.find((account) => account.id === id)?.openOperation;
      const { body } = await send('GET', `/accounts/${id}`);
      const tenant = await send('GET', `/api/v1/tenants/${id}`);
      expect([listed, tenant.body.openOperation]).toEqual([body.openOperation, body.openOperation]);
      return body.openOperation;
    };
    expect(await seen()).toBeNull();
    const { body: moved } = await send('POST', `/accounts/${id}/move`);
    expect(await seen()).toEqual({
      ...{ operationId: moved.operationId, type: 'migrate', state: 'accepted' },
      since: matching(/^2.*Z$/),
    });
    await api.orchestrator.claim(moved.operationId);
    expect(await seen()).toMatchObject({ type: 'migrate', state: 'running' });
    await api.move(id, ['rolling-back', 'rolled-back'], ['active']);
    expect(await seen()).toBeNull();
  });
});

describe('PATCH /accounts/{id}', () => {
  it('merges what is given, and is carried out by an update', async () => {
    const { id } = await active();
    const address = { type: 'home', line1: '2 Side Street', city: 'Bonn', country: 'DE' };
    const patch = { addresses: [address], technicalUser: { email: 'new@acme.example' }, licenses: null };
    const preview = await send('PATCH', `/accounts/${id}?dryRun=true`, patch);
    expect([preview.status, preview.body]).toMatchObject([200, { dryRun: true, operation: 'update' }]);
    const answer = await api.app.inject({
      ...{ method: 'PATCH', url: `/accounts/${id}`, payload: JSON.stringify(patch) },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([202, `/accounts/${id}`]);
    const changed = {
      ...{ name: acmeAccount.name, masterAccountName: acmeAccount.masterAccountName, licenses: [] },
      ...{ addresses: [address], technicalUser: { ...acmeAccount.technicalUser, email: 'new@acme.example' } },
    };
    expect(answer.json()).toMatchObject({ ...changed, openOperation: { type: 'update' } });
    expect((await send('GET', `/accounts/${id}`)).body).toMatchObject(changed);
  });

  it('of what is so already changes nothing, and says so', async () => {
    const { id } = await active();
    for (const patch of [{}, { name: acmeAccount.name }])
      expect(await send('PATCH', `/accounts/${id}`, patch)).toMatchObject({ status: 200, body: { id, changed: [] } });
  });

  it('of licenses that are the same in another order, or none as before, changes nothing', async () => {
    const [sales] = acmeAccount.licenses;
    const support = { ...sales, serviceId: 'support' };
    const { licenses: _, ...without } = acmeAccount;
    const [some, none] = [await active({ ...acmeAccount, licenses: [sales, support] }), await active(without)];
    const unchanged = { status: 200, body: { changed: [] } };
    expect(await send('PATCH', `/accounts/${some.id}`, { licenses: [support, sales] })).toMatchObject(unchanged);
    expect(await send('PATCH', `/accounts/${some.id}`, { licenses: [support] })).toMatchObject({ status: 202 });
    for (const licenses of [[], null])
      expect(await send('PATCH', `/accounts/${none.id}`, { licenses })).toMatchObject(unchanged);
  });

  it.each([
    [{ name: null }, 'body.name'],
    [{ masterAccountName: null }, 'body.masterAccountName'],
    [{ technicalUser: null }, 'body.technicalUser'],
    [{ cloudType: 'private' }, 'body'],
    [{ addresses: [{ ...acmeAccount.addresses[0], country: 'UK' }] }, 'body.addresses.0.country'],
  ])('refuses %j and names the field', async (patch, field) => {
    const { id } = await active();
    const answer = await send('PATCH', `/accounts/${id}`, patch);
    expect([answer.status, fieldsOf(answer)]).toMatchObject([400, [{ field }]]);
  });

  it('names a field that only the whole account shows to be wrong as the request has it', async () => {
    const tenant = { ...acme, product: 'accounts', tier: 'public', slug: undefined };
    const { tenantId: id, operationId } = (await send('POST', '/api/v1/tenants', tenant)).body as unknown as {
      tenantId: string;
      operationId: string;
    };
    await end({ id, operationId, openOperation: null }, 'creating', 'active');
    const answer = await send('PATCH', `/accounts/${id}`, { technicalUser: { email: 'a@acme.example' } });
    expect([answer.status, fieldsOf(answer)]).toMatchObject([400, [{ field: 'body.technicalUser.name' }]]);
  });
});

describe('an operator of an account', () => {
  it('cancels what no worker has begun, and is told what the account is then', async () => {
    const [{ id }, created] = [await active(), await accepted()];
    await send('POST', `/accounts/${id}/move`);
    expect((await send('POST', `/accounts/${id}/cancel?dryRun=true`)).body).toMatchObject({
      control: { verb: 'cancel' },
    });
    const cancelled = await send('POST', `/accounts/${id}/cancel`);
    expect(cancelled).toMatchObject({ status: 202, body: { provisioningStatus: 'active', openOperation: null } });
    expect(cancelled.body['message']).toBe(
      'the operation was cancelled before a worker began it; the account is active',
    );
    const gone = await send('POST', `/accounts/${created.id}/cancel`);
    expect(gone.body).toMatchObject({ provisioningStatus: 'deleted', deletedAt: matching(/^2/), technicalUser: null });
    for (const [verb, code] of [
      ['cancel', 'NOT_CANCELLABLE'],
      ['retry', 'NOTHING_TO_RETRY'],
    ] as const) {
      const answer = await send('POST', `/accounts/${id}/${verb}`);
      expect([answer.status, answer.body.error.code]).toEqual([409, code]);
      expect(answer.body.error.message).toMatch(/^the account has no open operation/);
    }
  });

  it('asks the run of one that is at work, and is answered with what was found', async () => {
    const { id } = await active();
    const { operationId } = (await send('POST', `/accounts/${id}/move`)).body;
    await api.orchestrator.claim(operationId);
    const openOperation = { operationId, type: 'migrate', state: 'running' };
    expect((await send('POST', `/accounts/${id}/cancel`)).body).toMatchObject({ operationId, openOperation });
    await api.move(id, ['rolling-back', 'stuck']);
    const retried = await send('POST', `/accounts/${id}/retry`);
    expect([retried.status, retried.body]).toMatchObject([202, { openOperation: { state: 'stuck' } }]);
    expect(api.orchestrator.taken.filter((each) => each.operationId === operationId).map(({ verb }) => verb)).toEqual([
      'cancel',
      'retry',
    ]);
  });
});

describe('what an account is called', () => {
  const tenants = '/api/v1/tenants';

  it('is one thing, in the account and in its tenant, also when a change of it goes back', async () => {
    const { id } = await active();
    const named = async () => {
      const [tenant, account] = [await send('GET', `${tenants}/${id}`), await send('GET', `/accounts/${id}`)];
      const { contactEmail, displayName } = tenant.body;
      const { name, technicalUser } = account.body as unknown as { name: string; technicalUser: { email: string } };
      expect([displayName, contactEmail]).toEqual([name, technicalUser.email]);
      return [name, technicalUser.email];
    };
    const before = await named();
    const { body } = await send('PATCH', `/accounts/${id}`, {
      name: 'Nova',
      technicalUser: { email: 'n@acme.example' },
    });
    expect(await named()).toEqual(['Nova', 'n@acme.example']);
    await api.orchestrator.claim(body.operationId);
    await api.move(id, ['rolling-back', 'rolled-back'], ['active']);
    api.orchestrator.end(`tenant.accounts.${id}`);
    expect(await named()).toEqual(before);
    await send('PATCH', `${tenants}/${id}`, { settings: { name: 'Terra' } });
    expect(await named()).toEqual(['Terra', before[1]]);
  });

  it('is changed in its settings alone, and cannot be taken back', async () => {
    const { id } = await active();
    const wrong = await send('PATCH', `${tenants}/${id}`, { displayName: 'Nova', contactEmail: 'n@acme.example' });
    expect([wrong.status, fieldsOf(wrong)]).toMatchObject([
      400,
      [
        { field: 'body.displayName', problem: containing('settings.name') },
        { field: 'body.contactEmail', problem: containing('settings.technicalUser.email') },
      ],
    ]);
    const lost = await send('PATCH', `${tenants}/${id}`, { settings: { name: null, technicalUser: null } });
    expect(fieldsOf(lost)).toMatchObject([
      { field: 'body.settings.name' },
      { field: 'body.settings.technicalUser.email' },
    ]);
    const same = await send('PATCH', `${tenants}/${id}`, { displayName: acmeAccount.name });
    expect([same.status, same.body['changed']]).toEqual([200, []]);
  });

  it('is asked for once, or twice the same, by the door of all tenants', async () => {
    const tenant = { product: 'accounts', tier: 'public', displayName: 'Nova', contactEmail: 'n@acme.example' };
    const { tenantId } = (await send('POST', tenants, tenant)).body as unknown as { tenantId: string };
    expect((await send('GET', `${tenants}/${tenantId}`)).body).toMatchObject({
      ...{ slug: tenantId, settings: { name: 'Nova' } },
    });
    const twice = await send('POST', tenants, { ...tenant, settings: { name: 'Terra' } });
    expect([twice.status, fieldsOf(twice)]).toMatchObject([400, [{ field: 'body.displayName' }]]);
    const slug = await send('POST', tenants, { ...tenant, slug: 'nova' });
    expect([slug.status, fieldsOf(slug)]).toMatchObject([
      400,
      [{ field: 'body.slug', problem: containing('left out') }],
    ]);
    for (const path of [`${tenants}/${tenantId}`, `/accounts/${tenantId}`])
      expect((await send('DELETE', `${path}?confirm=nova`)).body.error).toMatchObject({
        message: `"nova" is not the id of account ${tenantId}: nothing was deleted`,
        details: { parameter: 'confirm', given: 'nova', expected: tenantId },
      });
  });

  it('is answered with what a request changed, where no operation has to carry it out', async () => {
    const { id } = await active();
    await api.database.query(`update tenants set settings = settings - 'technicalUser' where id = $1`, [id]);
    const answer = await send('PATCH', `${tenants}/${id}`, { contactEmail: 'ops@acme.example' });
    expect([answer.status, answer.body['changed']]).toEqual([200, ['contactEmail']]);
    const again = await send('PATCH', `${tenants}/${id}`, { contactEmail: 'ops@acme.example' });
    expect([again.status, again.body['changed']]).toEqual([200, []]);
  });
});

describe('a request without a body', () => {
  const headers = { 'content-type': 'application/json' };

  it('is taken as well when it names the type of one', async () => {
    const { id } = await active();
    for (const [method, url, status] of [
      ['POST', `/accounts/${id}/move?dryRun=true`, 200],
      ['DELETE', `/accounts/${id}?dryRun=true`, 200],
      ['DELETE', `/api/v1/tenants/${id}?dryRun=true`, 200],
      ['POST', `/api/v1/tenants/${id}/repair?dryRun=true`, 200],
      ['POST', `/accounts/${id}/retry`, 409],
      ['POST', `/api/v1/tenants/${id}/cancel`, 409],
      ['POST', `/accounts/${id}/move`, 202],
    ] as const) {
      const answer = await api.app.inject({ method, url, headers });
      expect([url, answer.statusCode]).toEqual([url, status]);
    }
    const needed = await api.app.inject({ method: 'POST', url: '/accounts', headers });
    expect([needed.statusCode, needed.json<Fields>().error.message]).toEqual([400, 'body: must be an object']);
  });

  it('is what the description says of each route', async () => {
    const { paths } = (await api.app.inject('/openapi.json')).json<{
      paths: Record<string, Record<string, { operationId: string; requestBody?: { required: boolean } }>>;
    }>();
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const required = operations.filter(({ requestBody }) => requestBody?.required).map((each) => each.operationId);
    expect(required.sort()).toEqual([
      ...['abandonOperation', 'changeAccount', 'changeTenant', 'changeWebhook', 'createAccount', 'createTenant'],
      'createWebhook',
      ...['decodePayloads', 'encodePayloads', 'freeze', 'isolateTenant', 'migrateTenant', 'scaleTenant'],
    ]);
    const optional = operations.filter(({ requestBody }) => requestBody?.required === false);
    expect(optional.map((each) => each.operationId).sort()).toEqual([
      ...['moveAccount', 'repairTenant', 'replayDeadLetters', 'resumeTenant', 'rotateTenant', 'rotateWebhook'],
      'suspendTenant',
    ]);
  });
});

describe('the words of accounts', () => {
  it('hold in a status that waits for a person, with the commands on accounts', async () => {
    const { id } = await active();
    const { body } = await send('PATCH', `/accounts/${id}`, { name: 'Other' });
    await api.orchestrator.claim(body.operationId);
    const failure = { code: 'ACCESS_DENIED', message: 'no', stepId: 'put_shared_metadata' };
    await api.database.query('update operations set failure = $2 where id = $1', [body.operationId, failure]);
    await api.move(id, ['holding']);
    const { body: held } = await send('GET', `/accounts/${id}/status`);
    const { attention } = held as unknown as { attention: { choices: { command: string; effect: string }[] } };
    expect(attention.choices.map(({ command }) => command)).toEqual([
      `tenantry accounts retry ${id}`,
      `tenantry accounts cancel ${id}`,
    ]);
    expect(JSON.stringify(attention)).not.toMatch(/\btenants?\b|slug/);
    const preview = await send('POST', `/accounts/${id}/cancel?dryRun=true`);
    expect(preview.body['control']).toMatchObject({ tenantStatus: 'active' });
  });

  it('hold in what is stuck, where a tenant would be told of its slug and its address', async () => {
    const account = await accepted();
    await api.orchestrator.claim(account.operationId);
    await api.move(account.id, ['rolling-back', 'stuck'], ['failed']);
    const { body } = await send('GET', `/accounts/${account.id}/status`);
    expect(body['attention']).toMatchObject({
      choices: expect.arrayContaining([expect.objectContaining({ verb: 'delete' })]) as unknown,
    });
    expect(JSON.stringify(body['attention'])).not.toMatch(/\btenants?\b|slug/);
  });

  it('name the status in the refusal of a certificate, and give the one of a deletion', async () => {
    const account = await accepted();
    const certificate = () => send('GET', `/accounts/${account.id}/certificate`);
    await api.orchestrator.claim(account.operationId);
    const early = await certificate();
    expect([early.status, early.body.error]).toMatchObject([
      404,
      {
        code: 'CERTIFICATE_NOT_FOUND',
        message: `there is no certificate of account ${account.id}: its status is creating`,
        details: { status: 'creating' },
      },
    ]);
    // At the tenants' own door it is the word of tenants.
    const ofTenant = await send('GET', `/api/v1/tenants/${account.id}/certificate`);
    expect(ofTenant.body.error).toMatchObject({ details: { status: 'validating' } });
    await api.move(account.id, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.accounts.${account.id}`);
    const { body } = await send('DELETE', `/accounts/${account.id}?confirm=${account.id}`);
    expect(body['message']).toMatch(/^the deletion is accepted, and a worker carries it out; /);
    await end({ ...account, operationId: body.operationId }, 'deleted');
    const { status, body: signed } = await certificate();
    expect([status, signed['certificate']]).toMatchObject([200, { tenant: { tenantId: account.id } }]);
    expect((await send('GET', `/api/v1/tenants/${account.id}/certificate`)).body).toEqual(signed);
    const tenant = (await send('POST', '/api/v1/tenants', { ...acme, slug: 'no-account' })).body as unknown as {
      tenantId: string;
    };
    const other = await send('GET', `/accounts/${tenant.tenantId}/certificate`);
    expect([other.status, other.body.error.code]).toEqual([404, 'TENANT_NOT_FOUND']);
  });

  it('say that nothing is left only of what is gone', async () => {
    const { id } = await active();
    const made = await send('GET', `/accounts/${id}/status`);
    expect(made.body['outcome']).toMatchObject({ state: 'succeeded', message: 'created' });
    const failed = await accepted();
    await api.orchestrator.claim(failed.operationId);
    await api.move(failed.id, ['rolling-back', 'rolled-back'], ['failed']);
    const { body } = await send('GET', `/accounts/${failed.id}/status`);
    expect(body['outcome']).toMatchObject({ message: 'the creation failed and was rolled back; nothing is left' });
  });

  it('are the same of each country that there is not', async () => {
    const problems = await Promise.all(
      ['xx', 'XK', 'Germany', ''].map(async (country) => {
        const addresses = [{ ...acmeAccount.addresses[0], country }];
        return fieldsOf(await send('POST', '/accounts', { ...acmeAccount, addresses }));
      }),
    );
    expect(new Set(problems.map((fields) => JSON.stringify(fields))).size).toBe(1);
  });

  it('of a body of another type name what the route takes, and what was sent', async () => {
    const { id } = await active();
    const typed = async (method: 'POST' | 'PATCH', url: string) => {
      const headers = { 'content-type': 'text/plain' };
      const answer = await api.app.inject({ method, url, headers, payload: 'x' });
      return [answer.statusCode, answer.json<Fields>().error.message];
    };
    expect(await typed('POST', '/accounts')).toEqual([415, 'the body must be application/json, not "text/plain"']);
    expect(await typed('PATCH', `/accounts/${id}`)).toEqual([
      415,
      'the body must be application/json or application/merge-patch+json, not "text/plain"',
    ]);
  });
});
