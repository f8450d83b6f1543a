import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ISOLATION_STEP } from '../../src/contracts/isolation.ts';
import { listEvents } from '../../src/db/events.ts';
import { insertFreeze, liftFreeze } from '../../src/db/freezes.ts';
import { findIsolation, recordIsolated, recordIsolationFailure, recordNotice } from '../../src/db/isolations.ts';
import { listDueForHealth } from '../../src/db/tenant-health.ts';
import { alertOverdue, startIsolations } from '../../src/worker/isolations.ts';
import { testCaller as caller } from '../support/caller.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Answer {
  tenantId: string;
  workflowId: string;
  isolation: Record<string, unknown> | null;
  rule: unknown;
  error: { code: string; message: string };
}

async function send(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  const answer = await api.app.inject({ method, url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}
let counter = 0;
async function created() {
  const { body } = await send('POST', '/api/v1/tenants', { ...acme, slug: `alone-${(counter += 1)}` });
  return { ...body, slug: `alone-${counter}`, url: `/api/v1/tenants/${body.tenantId}` };
}
async function active() {
  const tenant = await created();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
const isolate = (url: string) => send('POST', `${url}/isolation`, { reason: 'a breach' });
async function settle(tenantId: string) {
  const { generation } = (await findIsolation(api.database, tenantId))!;
  expect(await recordIsolated(api.database, { tenantId, generation })).toBe(true);
}
const metrics = async () => (await api.app.inject({ method: 'GET', url: '/metrics' })).body;

describe('an isolation', () => {
  it('is accepted whatever is open or frozen, once, and is shown until it is lifted', async () => {
    const { tenantId, slug, url } = await created();
    const frozen = { id: crypto.randomUUID(), product: 'moamalat', cell: null, reason: 'upgrade', caller };
    await insertFreeze(api.database, frozen);
    const { status, body } = await isolate(url);
    await liftFreeze(api.database, frozen.id, caller);
    expect([status, body.isolation]).toEqual([
      202,
      expect.objectContaining({ state: 'requested', wanted: true, reason: 'a breach', lastError: null }),
    ]);
    expect(api.orchestrator.isolations.at(-1)).toEqual({ tenantId, product: 'moamalat', slug });
    expect((await isolate(url)).status).toBe(202);
    await settle(tenantId);
    expect((await isolate(url)).status).toBe(200);
    expect((await findIsolation(api.database, tenantId))?.generation).toBe(1);
    for (const path of [url, `${url}/status`])
      expect((await send('GET', path)).body.isolation).toMatchObject({
        state: 'on',
        caller: { principal: 'local-operator' },
      });
    expect(await metrics()).toMatch(/^tenantry_isolated_tenants 1$/m);

    expect(await send('DELETE', `${url}/isolation`)).toMatchObject({
      status: 202,
      body: { isolation: { state: 'lifting', wanted: false } },
    });
    expect((await findIsolation(api.database, tenantId))?.generation).toBe(2);
    const events = (await listEvents(api.database, tenantId)).filter(({ type }) => type.startsWith('tenant.isolat'));
    expect(events.map(({ type, data }) => [type, data['wanted']])).toEqual([
      ['tenant.isolation-requested', true],
      ['tenant.isolated', undefined],
      ['tenant.isolation-requested', false],
    ]);
  });

  it('of which nothing is wanted has nothing to lift; its dry run says the rule, and takes no place', async () => {
    const { tenantId, url } = await active();
    expect(await send('DELETE', `${url}/isolation`)).toMatchObject({ status: 200, body: { isolation: null } });
    for (const _ of [1, 2])
      expect((await send('POST', `${url}/isolation?dryRun=true`, { reason: 'a breach' })).body).toEqual({
        dryRun: true,
        tenantId,
        rule: {
          loadBalancerArn: expect.stringMatching(/^arn:/) as unknown,
          host: expect.stringMatching(/^alone-/) as unknown,
          status: 503,
          priority: expect.any(Number) as unknown,
        },
      });
    expect(await findIsolation(api.database, tenantId)).toBeUndefined();
    expect((await send('DELETE', `${url}/isolation?dryRun=true`)).body.rule).toBeNull();
  });

  it('has a notice that was made when it was made, however often it was ensured since', async () => {
    const { tenantId, url } = await created();
    await isolate(url);
    const { generation } = (await findIsolation(api.database, tenantId))!;
    const made = async (arn: string) => {
      await recordNotice(api.database, { tenantId, generation }, { arn, priority: 7 }, undefined);
      const { rows } = await api.database.query<{ at: Date }>(
        'select made_at as at from ledger where tenant_id = $1 and step_id = $2',
        [tenantId, ISOLATION_STEP],
      );
      return rows[0]!.at.getTime();
    };
    const [first, again, another] = [await made('rule/1'), await made('rule/1'), await made('rule/2')];
    expect(again).toBe(first);
    expect(another).toBeGreaterThan(first);
  });

  it('is refused to a tenant that has no place any more, or is not there', async () => {
    const { tenantId, url, workflowId } = await created();
    await send('POST', `${url}/cancel`);
    api.orchestrator.end(workflowId);
    expect(await isolate(url)).toMatchObject({ status: 409, body: { error: { code: 'TENANT_NOT_ISOLATABLE' } } });
    expect(await findIsolation(api.database, tenantId)).toBeUndefined();
    const nobody = `/api/v1/tenants/${crypto.randomUUID()}`;
    expect(await isolate(nobody)).toMatchObject({ status: 404 });
    expect(await send('DELETE', `${nobody}/isolation`)).toMatchObject({ status: 404 });
  });

  it('of a creation that is cancelled before anybody began it is to be lifted', async () => {
    const { tenantId, url } = await created();
    await isolate(url);
    await send('POST', `${url}/cancel`);
    expect(await findIsolation(api.database, tenantId)).toMatchObject({ wanted: false, generation: 2 });
  });

  it('stands while Temporal is unavailable, and a worker starts its run', async () => {
    const { tenantId, slug, url } = await active();
    api.orchestrator.unreachable = true;
    expect((await isolate(url)).status).toBe(202);
    api.orchestrator.unreachable = false;
    const before = api.orchestrator.isolations.length;
    await api.database.query(`update tenant_isolations set since = since - interval '5 s' where tenant_id = $1`, [
      tenantId,
    ]);
    await startIsolations({ database: api.database, client: api.client, log: pino({ level: 'silent' }) });
    expect(api.orchestrator.isolations.slice(before)).toContainEqual(expect.objectContaining({ tenantId, slug }));
  });

  it('keeps looks at its health away, which is unknown meanwhile', async () => {
    const { tenantId, url } = await active();
    const due = async () =>
      (await listDueForHealth(api.database, 'default', new Date())).some((row) => row.tenantId === tenantId);
    expect(await due()).toBe(true);
    await isolate(url);
    expect(await due()).toBe(false);
  });

  it('that is not in effect after a minute is an alert, once, and says what failed', async () => {
    const { tenantId, url } = await active();
    await isolate(url);
    const failure = { code: 'ACCESS_DENIED', message: 'not authorized' };
    await recordIsolationFailure(
      api.database,
      { tenantId, generation: 1 },
      { failure, window: undefined, isLost: true },
    );
    expect((await send('GET', url)).body.isolation).toMatchObject({ state: 'failed', lastError: failure });
    const alerts: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line: string) => alerts.push(JSON.parse(line) as Record<string, unknown>) });
    const alert = async () => {
      await alertOverdue({ database: api.database, log });
      return alerts.filter((line) => line['tenantId'] === tenantId);
    };
    expect(await alert()).toEqual([]);
    await api.database.query(`update tenant_isolations set since = since - interval '61 s' where tenant_id = $1`, [
      tenantId,
    ]);
    expect(await alert()).toEqual([expect.objectContaining({ alert: 'isolation-overdue', wanted: true, failure })]);
    expect(await alert()).toHaveLength(1);
    expect(await metrics()).toMatch(/^tenantry_isolations_overdue [1-9]/m);
  });

  it('is asked for and lifted by the command line, which waits until it is in effect', async () => {
    const { tenantId } = await active();
    const { url } = await api.listen();
    const tenantry = async (...args: string[]) => {
      const env = { ...process.env, TENANTRY_API_URL: url };
      return (await promisify(execFile)(process.execPath, [bin, 'tenants', ...args], { env })).stdout;
    };
    expect(await tenantry('isolate', tenantId, '--reason', 'a breach', '--dry-run')).toMatch(/^a rule would be made: /);
    const waiting = tenantry('isolate', tenantId, '--reason', 'a breach', '--json');
    await vi.waitFor(async () => expect(await findIsolation(api.database, tenantId)).toBeDefined(), 20_000);
    await settle(tenantId);
    expect(JSON.parse(await waiting)).toMatchObject({ isolation: { state: 'on', reason: 'a breach' } });
    expect(await tenantry('show', tenantId)).toMatch(/^isolation +isolated since .* by local-operator: a breach$/m);
    expect(await tenantry('list')).toContain('isolation on');
    expect(await tenantry('lift-isolation', tenantId, '--no-wait')).toMatch(/^to be reached again, not in effect/);
  });
});
