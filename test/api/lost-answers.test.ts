import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StatementFault } from '../../sandbox/parts/postgres-proxy.ts';
import { findOperation, listOperationsOf } from '../../src/db/operations.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { anyString, containing } from './matchers.ts';

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
  readonly code: number;
  readonly body: { tenantId: string; operationId: string; state: string; status: string };
  readonly error: {
    code: string;
    message: string;
    details: { tenantId: string; operationId: string; ask: string; mayLandUntil: string };
  };
}
async function send(method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object): Promise<Answer> {
  const answer = await api.app.inject({ method, url: `/api/v1/tenants${path}`, ...(payload && { payload }) });
  const body = answer.json<Answer['body'] & { error: Answer['error'] }>();
  return { code: answer.statusCode, body, error: body.error };
}

/** The next commit of a transaction that holds this text meets the fault. */
const atCommit = (within: string, fault: StatementFault) =>
  rules.push(api.proxy.addRule({ match: { application: 'api', startsWith: 'commit', contains: [within] }, fault }));
const lost: StatementFault = { type: 'cut', when: 'after' };
const never: StatementFault = { type: 'cut', when: 'before' };
/** From now on no statement of this sort reaches PostgreSQL. */
const away = (startsWith: string, skip = 0) =>
  rules.push(api.proxy.addRule({ match: { application: 'api', startsWith }, fault: never, times: null, skip }));
const findingOut = 'select pg_xact_status';

let counter = 0;
const fresh = () => ({ ...acme, slug: `lost-${(counter += 1)}` });
async function created() {
  const request = fresh();
  const { body } = await send('POST', '', request);
  return { ...body, slug: request.slug };
}
async function claimed() {
  const tenant = await created();
  expect(await api.orchestrator.claim(tenant.operationId)).toBe(true);
  return tenant;
}
async function active() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(`tenant.moamalat.${tenant.slug}`);
  return tenant;
}
async function stuck() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['rolling-back', 'stuck'], ['creating', 'failed']);
  return tenant;
}
const stateOf = async (operationId: string) => (await findOperation(api.database, operationId))?.state;

/** Each request that writes in one transaction: what it is sent as, and what it writes. */
const requests = {
  'POST /tenants': async () => {
    const request = fresh();
    return { within: 'insert into tenants', go: () => send('POST', '', request), success: 202 };
  },
  DELETE: async () => {
    const { tenantId, slug } = await active();
    const go = () => send('DELETE', `/${tenantId}?confirm=${slug}`);
    return { within: 'insert into operations', go, success: 202 };
  },
  'DELETE of a stuck one': async () => {
    const { tenantId, slug } = await stuck();
    const go = () => send('DELETE', `/${tenantId}?confirm=${slug}`);
    return { within: 'insert into operations', go, success: 202 };
  },
  abandon: async () => {
    const { tenantId } = await stuck();
    const go = () => send('POST', `/${tenantId}/abandon`, { reason: 'kept for the auditors' });
    return { within: 'update operations set state', go, success: 200 };
  },
  'cancel before a run': async () => {
    const { tenantId } = await created();
    return { within: 'update operations set state', go: () => send('POST', `/${tenantId}/cancel`), success: 202 };
  },
};
const names = Object.keys(requests) as (keyof typeof requests)[];

describe.each(names)('%s whose commit is not answered', (name) => {
  it('is answered as carried out when PostgreSQL committed it', async () => {
    const { within, go, success } = await requests[name]();
    atCommit(within, lost);
    const answer = await go();
    expect(answer.code).toBe(success);
    const { tenantId, operationId } = answer.body;
    expect((await send('GET', `/${tenantId}/operations/${operationId}`)).code).toBe(200);
    // Nothing is left to do: asked again, it is refused.
    expect((await go()).code).toBe(409);
  });

  it('is answered 503 and did nothing when PostgreSQL never got the commit', async () => {
    const { within, go, success } = await requests[name]();
    atCommit(within, never);
    const answer = await go();
    expect([answer.code, answer.error.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
    expect(answer.error.message).toMatch(/; nothing was changed$/);
    expect((await go()).code).toBe(success);
  });
});

describe('a request whose commit is not answered while PostgreSQL stays unavailable', () => {
  it('is answered OUTCOME_UNKNOWN, with what to ask', async () => {
    const prepared = await Promise.all(names.map((name) => requests[name]()));
    rules.push(
      api.proxy.addRule({ match: { application: 'api', startsWith: 'commit' }, fault: lost, times: names.length }),
    );
    away(findingOut);
    const answers = await Promise.all(prepared.map(({ go }) => go()));
    for (const { code, error } of answers) {
      expect([code, error.code]).toEqual([504, 'OUTCOME_UNKNOWN']);
      expect(error.message).toContain(`ask GET ${error.details.ask} before you try again`);
      expect(error.details).toMatchObject({ tenantId: anyString, operationId: anyString });
      // It was carried out, and what it names shows it.
      const asked = await api.app.inject(error.details.ask);
      expect([asked.statusCode, asked.body]).toEqual([200, containing(error.details.operationId)]);
    }
  });
});

describe('a commit that is delivered late', () => {
  it('may land until the time that the answer names, and never after it', { timeout: 120_000 }, async () => {
    const [soon, tooLate] = [await requests['POST /tenants'](), await requests.abandon()];
    atCommit(soon.within, { type: 'late', effectAfterMs: 9_000 });
    // PostgreSQL ends a session whose transaction is silent for 20 s.
    atCommit('kept for the auditors', { type: 'late', effectAfterMs: 23_000 });
    away(findingOut);
    const [landed, lapsed] = await Promise.all([soon.go(), tooLate.go()]);
    for (const { code, error } of [landed, lapsed]) {
      expect([code, error.code]).toEqual([504, 'OUTCOME_UNKNOWN']);
      expect(error.message).toContain(`it may still take effect until ${error.details.mayLandUntil}`);
      expect(Date.parse(error.details.mayLandUntil)).toBeGreaterThan(Date.now() + 20_000);
    }
    const ask = ({ error }: Answer) => api.app.inject(error.details.ask);
    // It proves nothing yet.
    expect((await ask(landed)).statusCode).toBe(404);
    await expect.poll(async () => (await ask(landed)).statusCode, { timeout: 10_000 }).toBe(200);
    await api.proxy.whenQuiet();
    await sleep(Date.parse(lapsed.error.details.mayLandUntil) - Date.now());
    expect((await ask(lapsed)).json()).toMatchObject({ state: 'stuck' });
  });
});

describe('a start that fails, and whose withdrawal is not answered', () => {
  it('is answered as withdrawn when it was, OUTCOME_UNKNOWN when nobody knows', async () => {
    api.orchestrator.startFault = 'before';
    atCommit('withdrawn', lost);
    expect(await send('POST', '', fresh())).toMatchObject({ code: 503, error: { code: 'ORCHESTRATOR_UNAVAILABLE' } });
    atCommit('withdrawn', lost);
    away(findingOut);
    const { code, error } = await send('POST', '', fresh());
    expect([code, error.code]).toEqual([504, 'OUTCOME_UNKNOWN']);
    expect(await stateOf(error.details.operationId)).toBe('withdrawn');
  });
});

describe('cancel', () => {
  it('that the run took is answered 202 although PostgreSQL is gone by then', async () => {
    const tenant = await claimed();
    // The tenant, and after the run was asked everything.
    away('select id, product', 1);
    away('update operations set cancel_requested_at = clock_timestamp()', 1);
    expect((await send('POST', `/${tenant.tenantId}/cancel`)).code).toBe(202);
    expect(api.orchestrator.taken).toContainEqual({ operationId: tenant.operationId, verb: 'cancel' });
    expect((await findOperation(api.database, tenant.operationId))?.cancelRequestedAt).toBeInstanceOf(Date);
  });

  it.each(['before', 'after'] as const)(
    'whose answer is lost %s its effect is OUTCOME_UNKNOWN, and the operation shows that it was asked for',
    async (fault) => {
      const tenant = await claimed();
      api.orchestrator.updateFault = fault;
      const { code, error } = await send('POST', `/${tenant.tenantId}/cancel`);
      expect([code, error.code]).toEqual([504, 'OUTCOME_UNKNOWN']);
      expect(error).toMatchObject({
        message: containing(`whether operation ${tenant.operationId} takes the cancel is not known`),
        details: { ask: `/api/v1/tenants/${tenant.tenantId}/operations/${tenant.operationId}` },
      });
      expect((await api.app.inject(error.details.ask)).json()).toMatchObject({ cancelRequestedAt: anyString });
    },
  );

  it('that could not be recorded, or whose Temporal is unavailable, is sent to no run', async () => {
    const tenant = await claimed();
    atCommit('cancel_requested_at', lost);
    away(findingOut);
    const cancel = () => send('POST', `/${tenant.tenantId}/cancel`);
    expect(await cancel()).toMatchObject({ code: 503, error: { code: 'DATABASE_UNAVAILABLE' } });
    api.orchestrator.unreachable = true;
    expect(await cancel()).toMatchObject({ code: 503, error: { code: 'ORCHESTRATOR_UNAVAILABLE' } });
    expect(api.orchestrator.taken).not.toContainEqual({ operationId: tenant.operationId, verb: 'cancel' });
  });

  it('is asked of the run once it is recorded, although PostgreSQL is gone by then, and answered as the run does', async () => {
    const [taken, refused] = [await claimed(), await claimed()];
    await api.move(refused.tenantId, ['committing']);
    for (const [{ tenantId }, code] of [
      [taken, 202],
      [refused, 409],
    ] as const) {
      away('select id, tenant_id as "tenantId", cell, type, state, on_failure as "onFailure", hold_ms as "holdMs"', 1);
      expect((await send('POST', `/${tenantId}/cancel`)).code).toBe(code);
      for (const rule of rules.splice(0)) api.proxy.removeRule(rule);
    }
    const recorded = async (id: string) => (await findOperation(api.database, id))?.cancelRequestedAt;
    expect(await recorded(taken.operationId)).toBeInstanceOf(Date);
    expect(await recorded(refused.operationId)).toBeNull();
  });

  it.each([undefined, 'after'] as const)(
    'that was taken (answer lost: %s) stays recorded when one that was recorded before it is refused',
    async (fault) => {
      const { tenantId, operationId } = await claimed();
      await api.move(tenantId, ['committing']);
      const forget = { application: 'api', startsWith: 'update operations set cancel_requested_at = null' };
      const parked = api.proxy.addRule({ match: forget, fault: { type: 'park' } });
      rules.push(parked);
      const first = send('POST', `/${tenantId}/cancel`);
      await expect.poll(() => api.proxy.hits(parked)).toBe(1);
      await api.move(tenantId, ['holding']);
      api.orchestrator.updateFault = fault;
      expect((await send('POST', `/${tenantId}/cancel`)).code).toBe(fault ? 504 : 202);
      api.proxy.release();
      expect((await first).code).toBe(409);
      expect((await findOperation(api.database, operationId))?.cancelRequestedAt).toBeInstanceOf(Date);
    },
  );

  it('that is refused leaves no record of one', async () => {
    const tenant = await claimed();
    await api.move(tenant.tenantId, ['committing']);
    expect((await send('POST', `/${tenant.tenantId}/cancel`)).code).toBe(409);
    const operation = await send('GET', `/${tenant.tenantId}/operations/${tenant.operationId}`);
    expect(operation.body).toMatchObject({ state: 'committing', cancelRequestedAt: null });
  });
});

describe('retry', () => {
  it('whose answer is lost is OUTCOME_UNKNOWN, also when it was to start the run that goes on', async () => {
    const tenant = await stuck();
    api.orchestrator.updateFault = 'after';
    expect((await send('POST', `/${tenant.tenantId}/retry`)).error.code).toBe('OUTCOME_UNKNOWN');
    api.orchestrator.updateFault = undefined;
    api.orchestrator.end(`tenant.moamalat.${tenant.slug}`);
    api.orchestrator.startFault = 'after';
    expect((await send('POST', `/${tenant.tenantId}/retry`)).error.code).toBe('OUTCOME_UNKNOWN');
  });
});

describe('what was withdrawn because Temporal was unavailable', () => {
  it('is in no list and no count; by its id it is deleted, and its operation withdrawn', async () => {
    const { slug, ...request } = fresh();
    const deleted = async () =>
      /tenantry_tenants\{status="deleted"\} (\d+)/.exec((await api.app.inject('/metrics')).body)?.[1];
    const before = await deleted();
    api.orchestrator.startFault = 'before';
    expect((await send('POST', '', { slug, ...request })).error.code).toBe('ORCHESTRATOR_UNAVAILABLE');
    for (const query of ['', `?slug=${slug}`, `?slug=${slug}&status=deleted`])
      expect((await api.app.inject(`/api/v1/tenants${query}`)).body).not.toContain(slug);
    expect(await deleted()).toBe(before);
    const { rows } = await api.database.query('select id from tenants where slug = $1', [slug]);
    expect((await send('GET', `/${String(rows[0]?.id)}`)).body.status).toBe('deleted');
    expect(await listOperationsOf(api.database, String(rows[0]?.id))).toMatchObject([{ state: 'withdrawn' }]);
  });

  it('a deletion, leaves the status of its tenant as it was', async () => {
    const { tenantId, slug } = await active();
    const before = (await send('GET', `/${tenantId}/status`)).body;
    api.orchestrator.startFault = 'before';
    expect((await send('DELETE', `/${tenantId}?confirm=${slug}`)).code).toBe(503);
    expect((await send('GET', `/${tenantId}/status`)).body).toEqual(before);
  });
});
