import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StatementFault } from '../../sandbox/parts/postgres-proxy.ts';
import { sweepExpiredKeys } from '../../src/db/idempotency-keys.ts';
import { findOperation, listAcceptedWithoutRun } from '../../src/db/operations.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());
const rules: string[] = [];
afterEach(() => {
  for (const rule of rules.splice(0)) api.proxy.removeRule(rule);
  api.orchestrator.startFault = undefined;
  api.orchestrator.updateFault = undefined;
  api.orchestrator.unreachable = false;
});

interface Answer {
  readonly status: number;
  readonly location: unknown;
  readonly replayed: boolean;
  readonly retryAfter: unknown;
  readonly text: string;
  readonly body: { readonly tenantId: string; readonly operationId: string; readonly slug: string };
  readonly error: { readonly code: string; readonly message: string; readonly details?: unknown } | undefined;
}

async function send(method: 'POST' | 'PATCH' | 'DELETE', path: string, key: string, payload?: object): Promise<Answer> {
  const answer = await api.app.inject({
    ...{ method, url: path, headers: { 'idempotency-key': key } },
    ...(payload && { payload }),
  });
  const body = answer.json<Answer['body'] & { error: Answer['error'] }>();
  const { location, 'idempotency-replayed': replayed, 'retry-after': retryAfter } = answer.headers;
  return {
    ...{ status: answer.statusCode, location, replayed: replayed === 'true', retryAfter },
    ...{ text: answer.body, body, error: body.error },
  };
}
const tenants = '/api/v1/tenants';
const create = (key: string, request: object) => send('POST', tenants, key, request);
const outcome = ({ status, error }: Answer) => [status, error?.code];

let counter = 0;
const fresh = () => ({ ...acme, slug: `once-${(counter += 1)}` });
const freshKey = () => `key-${(counter += 1)}`;
async function claimed() {
  const request = fresh();
  const { body } = await create(freshKey(), request);
  expect(await api.orchestrator.claim(body.operationId)).toBe(true);
  return { ...body, slug: request.slug, workflowId: `tenant.moamalat.${request.slug}` };
}
async function stuck() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['rolling-back', 'stuck'], ['creating', 'failed']);
  return tenant;
}
const tenantsOf = async (slug: string) =>
  Number((await api.database.query('select count(*)::int as n from tenants where slug = $1', [slug])).rows[0]?.['n']);
const isStored = async (key: string) =>
  (await api.database.query('select 1 from idempotency_keys where key = $1', [key])).rowCount === 1;

/** The next commit of a transaction that holds this text meets the fault. */
const atCommit = (within: string, fault: StatementFault) =>
  rules.push(api.proxy.addRule({ match: { application: 'api', startsWith: 'commit', contains: [within] }, fault }));
const lost: StatementFault = { type: 'cut', when: 'after' };
const never: StatementFault = { type: 'cut', when: 'before' };
const away = (startsWith: string) =>
  rules.push(api.proxy.addRule({ match: { application: 'api', startsWith }, fault: never, times: null }));
const findingOut = 'select pg_xact_status';

describe('a repeat under the same key', () => {
  it('is answered as the first time was, and says so, also when much has happened since', async () => {
    const [key, request] = [freshKey(), fresh()];
    const first = await create(key, request);
    expect([first.status, first.replayed]).toEqual([202, false]);
    await api.orchestrator.claim(first.body.operationId);
    api.orchestrator.workers = [];
    const again = await create(key, request);
    expect(again).toMatchObject({ status: 202, replayed: true, location: first.location, text: first.text });
    api.orchestrator.workers = [{ identity: 'worker-1', lastAccessAt: new Date() }];
  });

  it('may name its fields and parameters in another order, and quote the key', async () => {
    const { displayName, ...rest } = fresh();
    const first = await create('quoted "\\ key', { displayName, ...rest });
    const again = await create(String.raw`"quoted \"\\ key"`, { ...rest, displayName });
    expect([again.replayed, again.text]).toEqual([true, first.text]);
    const { body } = first;
    await api.orchestrator.claim(body.operationId);
    await api.move(body.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${rest.slug}`);
    const key = freshKey();
    const path = `${tenants}/${body.tenantId}?`;
    const deleted = await send('DELETE', `${path}confirm=${rest.slug}&grace=1d`, key);
    expect(deleted.status).toBe(202);
    expect(await send('DELETE', `${path}grace=1d&confirm=${rest.slug}`, key)).toMatchObject({ replayed: true });
  });

  it('of another request is refused with 422, and changes nothing', async () => {
    const [key, request] = [freshKey(), fresh()];
    const { body } = await create(key, request);
    const path = `${tenants}/${body.tenantId}`;
    for (const other of [
      () => create(key, { ...request, displayName: 'Other' }),
      () => create(key, fresh()),
      () => send('PATCH', path, key, { displayName: 'Other' }),
      () => send('POST', `${path}/cancel`, key),
      () => send('DELETE', `${path}?confirm=${request.slug}`, key),
    ])
      expect(outcome(await other())).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await api.app.inject(path)).json()).toMatchObject({ displayName: acme.displayName, status: 'pending' });
  });

  it('by another caller is a request of its own', async () => {
    const [key, first, second] = [freshKey(), fresh(), fresh()];
    const as = (principal: string, request: typeof first) =>
      api.client.createTenant(
        {
          ...{ principal, role: 'platform-operator', requestId: 'r' },
          requestKey: { key, requestHash: request.slug, onKept: () => undefined },
        },
        request,
      );
    const [anne, bert] = [await as('anne', first), await as('bert', second)];
    expect(anne.tenantId).not.toBe(bert.tenantId);
    expect((await as('anne', first)).tenantId).toBe(anne.tenantId);
    await expect(as('anne', second)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('is a new request once the key has expired; workers delete those', async () => {
    const [key, request] = [freshKey(), fresh()];
    const { body } = await create(key, request);
    const expire = () =>
      api.database.query(`update idempotency_keys set expires_at = clock_timestamp() where key = $1`, [key]);
    await expire();
    expect(outcome(await create(key, request))).toEqual([409, 'SLUG_TAKEN']);
    const other = await create(key, fresh());
    expect([other.status, other.replayed]).toEqual([202, false]);
    expect(other.body.tenantId).not.toBe(body.tenantId);
    await expire();
    expect(await sweepExpiredKeys(api.database)).toBe(1);
    expect(await isStored(key)).toBe(false);
    const { rows } = await api.database.query(
      'select max(extract(epoch from expires_at - created_at))::int as kept, count(*)::int as n from idempotency_keys',
    );
    expect(rows[0]).toMatchObject({ kept: 86_400 });
    expect(rows[0]?.['n']).toBeGreaterThan(0);
  });
});

describe('fifty requests with one key at once', () => {
  it('make one tenant; those that are not told so are told to come again', async () => {
    const [key, request] = [freshKey(), fresh()];
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(key, request)));
    expect(await tenantsOf(request.slug)).toBe(1);
    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ text }) => text)).size).toBe(1);
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(1);
    for (const other of answers.filter(({ status }) => status !== 202)) {
      expect(outcome(other)).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE']);
      expect(other.retryAfter).toBe('1');
    }
    expect(await create(key, request)).toMatchObject({ replayed: true, text: accepted[0]?.text });
  });

  it('are all answered as the first was, once its answer is there', async () => {
    const [key, request] = [freshKey(), fresh()];
    const first = await create(key, request);
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(key, request)));
    expect(new Set(answers.map((answer) => [...outcome(answer), answer.replayed].join(' ')))).toEqual(
      new Set(['202  true']),
    );
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([first.text]));
    const others = await Promise.all(Array.from({ length: 20 }, () => create(key, fresh())));
    for (const other of others) expect(outcome(other)).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('make one tenant also when the lock that keeps them apart is lost', async () => {
    const [key, request] = [freshKey(), fresh()];
    const parked = api.proxy.addRule({
      match: { application: 'api', startsWith: 'with accepted', contains: ['insert into tenants'] },
      fault: { type: 'park' },
    });
    rules.push(parked);
    const first = create(key, request);
    await expect.poll(() => api.proxy.hits(parked)).toBe(1);
    await api.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'api-locks' and datname = current_database()`,
    );
    // The process itself knows of its request: another one asks.
    const second = await withOtherProcess((other) => other(key, request));
    expect(second).toBe('IDEMPOTENCY_KEY_IN_USE');
    api.proxy.release();
    expect((await first).status).toBe(202);
    expect(await tenantsOf(request.slug)).toBe(1);
    expect((await create(key, request)).replayed).toBe(true);
  });
});

/** Another API on the same database. @returns the code with which it refuses, or `accepted` */
async function withOtherProcess(
  use: (create: (key: string, request: ReturnType<typeof fresh>) => Promise<string>) => Promise<string>,
): Promise<string> {
  const other = await api.another();
  try {
    return await use(async (key, request) => {
      const answer = await other.app.inject({
        ...{ method: 'POST', url: tenants, headers: { 'idempotency-key': key }, payload: request },
      });
      return answer.statusCode === 202 ? 'accepted' : answer.json<{ error: { code: string } }>().error.code;
    });
  } finally {
    await other.close();
  }
}

describe('what leaves its key free', () => {
  it('is a refusal', async () => {
    const [key, request] = [freshKey(), fresh()];
    expect(outcome(await create(key, { ...request, slug: 'A B' }))).toEqual([400, 'INVALID_INPUT']);
    const taken = fresh();
    await create(freshKey(), taken);
    expect(outcome(await create(key, taken))).toEqual([409, 'SLUG_TAKEN']);
    expect((await create(key, request)).status).toBe(202);
  });

  it('is a start that Temporal does not take: the repeat is tried anew', async () => {
    const [key, request] = [freshKey(), fresh()];
    api.orchestrator.startFault = 'before';
    expect(outcome(await create(key, request))).toEqual([503, 'ORCHESTRATOR_UNAVAILABLE']);
    expect(outcome(await create(key, request))).toEqual([503, 'ORCHESTRATOR_UNAVAILABLE']);
    api.orchestrator.startFault = undefined;
    expect(await create(key, request)).toMatchObject({ status: 202, replayed: false });
  });

  it('is a transaction that did not take effect', async () => {
    const [key, request] = [freshKey(), fresh()];
    atCommit('insert into tenants', never);
    expect(outcome(await create(key, request))).toEqual([503, 'DATABASE_UNAVAILABLE']);
    expect(await create(key, request)).toMatchObject({ status: 202, replayed: false });
  });

  it('is a dry run', async () => {
    const [key, request] = [freshKey(), fresh()];
    for (const _ of [1, 2]) expect((await send('POST', `${tenants}?dryRun=true`, key, request)).status).toBe(200);
    expect(await isStored(key)).toBe(false);
    expect((await create(key, request)).replayed).toBe(false);
  });
});

describe('a commit whose answer is lost', () => {
  it('and that took effect is known to the repeat', async () => {
    const [key, request] = [freshKey(), fresh()];
    atCommit('insert into tenants', lost);
    away(findingOut);
    expect(outcome(await create(key, request))).toEqual([504, 'OUTCOME_UNKNOWN']);
    const again = await create(key, request);
    expect([again.status, again.replayed]).toEqual([202, true]);
    expect((await listAcceptedWithoutRun(api.database, 0)).map(({ id }) => id)).toContain(again.body.operationId);
  });

  it('and is on its way keeps its key, until it lands', async () => {
    const [key, request] = [freshKey(), fresh()];
    atCommit('insert into tenants', { type: 'late', effectAfterMs: 8_000 });
    away(findingOut);
    expect(outcome(await create(key, request))).toEqual([504, 'OUTCOME_UNKNOWN']);
    expect(outcome(await create(key, request))).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE']);
    await api.proxy.whenQuiet();
    await expect.poll(async () => (await create(key, request)).status).toBe(202);
    expect(await tenantsOf(request.slug)).toBe(1);
  });

  it('of a withdrawal, and is on its way, keeps the key: nobody is told of what may yet be withdrawn', async () => {
    const [key, request] = [freshKey(), fresh()];
    api.orchestrator.startFault = 'before';
    atCommit('withdrawn', { type: 'late', effectAfterMs: 8_000 });
    away(findingOut);
    expect(outcome(await create(key, request))).toEqual([504, 'OUTCOME_UNKNOWN']);
    api.orchestrator.startFault = undefined;
    expect(outcome(await create(key, request))).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE']);
    await api.proxy.whenQuiet();
    await expect.poll(async () => (await create(key, request)).status).toBe(202);
    expect((await create(key, request)).replayed).toBe(true);
    const { rowCount } = await api.database.query(`select 1 from tenants where slug = $1 and status <> 'deleted'`, [
      request.slug,
    ]);
    expect(rowCount).toBe(1);
  });
});

describe('an operation of which a repeat was told', () => {
  it('is not withdrawn any more: it stays accepted, and a worker starts it', async () => {
    const [key, request] = [freshKey(), fresh()];
    const parked = api.proxy.addRule({
      match: { application: 'api', startsWith: 'update operations set state' },
      fault: { type: 'park' },
    });
    rules.push(parked);
    api.orchestrator.startFault = 'before';
    const first = create(key, request);
    await expect.poll(() => api.proxy.hits(parked)).toBe(1);
    await api.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'api-locks' and datname = current_database()`,
    );
    expect(await withOtherProcess((other) => other(key, request))).toBe('accepted');
    api.proxy.release();
    const answer = await first;
    expect(answer.status).toBe(202);
    expect((await findOperation(api.database, answer.body.operationId))?.state).toBe('accepted');
  });
});

describe('what a run is asked under a key', () => {
  it.each(['before', 'after'] as const)('is asked once when its answer is lost %s its effect', async (fault) => {
    const key = freshKey();
    const { tenantId, operationId } = await claimed();
    const cancel = () => send('POST', `${tenants}/${tenantId}/cancel`, key);
    api.orchestrator.updateFault = fault;
    expect(outcome(await cancel())).toEqual([504, 'OUTCOME_UNKNOWN']);
    api.orchestrator.updateFault = undefined;
    // The run has gone on by what it took.
    if (fault === 'after') await api.move(tenantId, ['rolling-back']);
    const again = await cancel();
    expect([again.status, again.replayed]).toEqual([202, false]);
    expect(await cancel()).toMatchObject({ status: 202, replayed: true, text: again.text });
    expect(api.orchestrator.taken.filter((one) => one.operationId === operationId)).toHaveLength(1);
    const asked = await api.database.query(
      `select 1 from events where operation_id = $1 and type = 'operation.requested'`,
      [operationId],
    );
    expect(asked.rowCount).toBe(1);
  });

  it('is the operation that was asked at first, also when another one is open by then', async () => {
    const key = freshKey();
    const { tenantId, operationId, slug, workflowId } = await stuck();
    const retry = () => send('POST', `${tenants}/${tenantId}/retry`, key);
    api.orchestrator.updateFault = 'before';
    expect(outcome(await retry())).toEqual([504, 'OUTCOME_UNKNOWN']);
    api.orchestrator.updateFault = undefined;
    expect((await send('DELETE', `${tenants}/${tenantId}?confirm=${slug}`, freshKey())).status).toBe(202);
    api.orchestrator.open.delete(workflowId);
    expect(outcome(await retry())).toEqual([409, 'NOTHING_TO_RETRY']);
    expect(api.orchestrator.taken.filter((one) => one.operationId === operationId)).toEqual([]);
  });

  it('that it refuses leaves the key free', async () => {
    const key = freshKey();
    const { tenantId } = await claimed();
    await api.move(tenantId, ['committing']);
    const cancel = () => send('POST', `${tenants}/${tenantId}/cancel`, key);
    expect(outcome(await cancel())).toEqual([409, 'NOT_CANCELLABLE']);
    expect(await isStored(key)).toBe(false);
    await api.move(tenantId, ['holding']);
    expect((await cancel()).status).toBe(202);
  });

  it('takes the key in one transaction with a cancel that needs no run', async () => {
    const [key, request] = [freshKey(), fresh()];
    const { body } = await create(freshKey(), request);
    const cancel = () => send('POST', `${tenants}/${body.tenantId}/cancel`, key);
    const first = await cancel();
    expect(first.status).toBe(202);
    expect(await cancel()).toMatchObject({ replayed: true, text: first.text });
  });
});

describe('a key', () => {
  it.each([
    ['', 'has none'],
    ['"', 'ends before its quotation'],
    ['"open', 'is not closed'],
    ['"a";b=1', 'has parameters'],
    [String.raw`"a\b"`, 'escapes what needs none'],
    ['""', 'is an empty string'],
    ['schlüssel', 'is not ASCII'],
    ['x'.repeat(256), 'is too long'],
    [`"${'x'.repeat(256)}"`, 'is a string that is too long'],
  ])('%j is refused: it %s', async (key) => {
    expect(await create(key, fresh())).toMatchObject({
      status: 400,
      error: { code: 'INVALID_INPUT', details: { header: 'idempotency-key' } },
    });
  });

  it('may be as long as 255 characters', async () => {
    expect((await create('x'.repeat(255), fresh())).status).toBe(202);
    expect((await create(`"${'y'.repeat(255)}"`, fresh())).status).toBe(202);
  });

  it('is refused where nothing is changed, and looked at by no other method', async () => {
    const codec = await send('POST', '/codec/decode', 'k', { payloads: [] });
    expect(outcome(codec)).toEqual([400, 'NOT_SUPPORTED']);
    const read = await api.app.inject({ url: tenants, headers: { 'idempotency-key': '"' } });
    expect(read.statusCode).toBe(200);
  });

  it('is stored with no name or address of anybody', async () => {
    const key = freshKey();
    await create(key, { ...fresh(), displayName: 'Zacharias Quux', contactEmail: 'quux@acme.example' });
    const { rows } = await api.database.query(
      `select encode(answer, 'escape') as answer, request_hash as hash from idempotency_keys where key = $1`,
      [key],
    );
    expect(JSON.stringify(rows)).not.toMatch(/quux/i);
    expect(rows[0]).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });
});
