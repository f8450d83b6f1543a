import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvent } from '../../src/db/events.ts';
import { testCaller as caller } from '../support/caller.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Preview {
  tenantId: string | null;
  operationId: string;
  workflowId: string;
  freezeId: string;
  operation: string | null;
  steps: { stepId: string; becomes: string; fields: object[]; calls: string[]; dropsData: boolean }[];
  settings: object;
  control: { verb: string; state: string; tenantStatus: string; effect: string; leftovers: { stepId: string }[] };
  expected: { medianMs: number } | null;
  room: { rules: { leftBefore: number; leftAfter: number } } | null;
  error: { code: string };
}
async function send(method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) {
  const answer = await api.app.inject({ method, url, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Preview & { tenantId: string }>() };
}
const counts = async () =>
  (
    await api.database.query(
      `select (select count(*) from tenants) t, (select count(*) from operations) o, (select count(*) from allocations) a,
         (select count(*) from events) e, (select count(*) from reservations) s`,
    )
  ).rows[0];

describe('POST /tenants?dryRun=true', () => {
  it('says what would be made, by which calls, and what room is left; it reserves nothing', async () => {
    const before = await counts();
    const { status, body } = await send('POST', '/api/v1/tenants?dryRun=true', { ...acme, slug: 'in-vain' });
    expect([status, body.tenantId, body.operation]).toEqual([200, null, 'provision']);
    expect(new Set(body.steps.map(({ becomes }) => becomes))).toEqual(new Set(['make']));
    const service = body.steps.find(({ stepId }) => stepId === 'deploy_backend');
    expect(service?.calls).toContain('ecs:CreateService');
    expect(service?.calls).not.toContain('ecs:DeleteService');
    expect(service?.calls).not.toContain('ecs:DescribeServices');
    const { leftBefore = 0, leftAfter = 0 } = body.room?.rules ?? {};
    expect(leftBefore - leftAfter).toBeGreaterThan(0);
    expect(await counts()).toEqual(before);
    expect(api.orchestrator.open.size).toBe(0);
  });

  it('is refused as the request would be', async () => {
    await send('POST', '/api/v1/tenants', { ...acme, slug: 'taken' });
    const refused = await send('POST', '/api/v1/tenants?dryRun=true', { ...acme, slug: 'taken' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'SLUG_TAKEN']);
    const wrong = await send('POST', '/api/v1/tenants?dryRun=true', { ...acme, slug: 'x' });
    expect([wrong.status, wrong.body.error.code]).toEqual([400, 'INVALID_INPUT']);
  });
});

describe('DELETE /tenants/{id}?dryRun=true', () => {
  it('says what would be removed, in order, and that data goes; it needs no confirmation and changes nothing', async () => {
    const created = await send('POST', '/api/v1/tenants', { ...acme, slug: 'to-go' });
    const { tenantId } = created.body;
    const open = await send('DELETE', `/api/v1/tenants/${tenantId}?dryRun=true`);
    expect([open.status, open.body.error.code]).toEqual([409, 'OPERATION_IN_PROGRESS']);
    await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    await api.database.query(
      `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
       select o.tenant_id, step ->> 'id', o.cell, step ->> 'kind', o.id, 'ready', 1
       from operations o cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step where o.tenant_id = $1`,
      [tenantId],
    );
    const before = await counts();
    const { status, body } = await send('DELETE', `/api/v1/tenants/${tenantId}?dryRun=true`);
    expect([status, body.operation]).toEqual([200, 'deprovision']);
    expect(new Set(body.steps.map(({ becomes }) => becomes))).toEqual(new Set(['drop']));
    const at = (id: string) => body.steps.findIndex(({ stepId }) => stepId === id);
    expect(at('create_dns')).toBeLessThan(at('deploy_backend'));
    expect(body.steps.filter(({ dropsData }) => dropsData).map(({ stepId }) => stepId)).toEqual(['create_schema']);
    expect(body.steps.find(({ stepId }) => stepId === 'create_dns')?.calls).toEqual([
      'route53:ChangeResourceRecordSets',
    ]);
    expect(await counts()).toEqual(before);
  });
});

it('a change of what was only ever made is expected to take as long as that took', async () => {
  const slug = 'timed';
  const { tenantId } = (await send('POST', '/api/v1/tenants', { ...acme, slug })).body;
  await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  await api.database.query(
    `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
     select o.tenant_id, step ->> 'id', o.cell, step ->> 'kind', o.id, 'ready', 1
     from operations o cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step where o.tenant_id = $1`,
    [tenantId],
  );
  const steps = await api.database.query('select step_id, operation_id from steps where tenant_id = $1', [tenantId]);
  await api.database.transaction(async (tx) => {
    for (const { step_id: stepId, operation_id: operationId } of steps.rows as Record<string, string>[])
      await appendEvent(tx, {
        ...{ cell: 'default', tenantId, operationId: operationId ?? '', stepId: stepId ?? '', type: 'step.ready' },
        data: { durationMs: 2_000 },
      });
  });
  const payload = { settings: { services: { backend: { count: 2 } } } };
  const { body } = await send('PATCH', `/api/v1/tenants/${tenantId}?dryRun=true`, payload);
  expect(body.expected?.medianMs).toBeGreaterThan(0);
});

/** Routes that change something without a preview, each with why. */
const unpreviewed: Readonly<Record<string, string>> = {
  'POST /codec/encode': 'changes nothing: it encrypts what it is given',
  'POST /codec/decode': 'changes nothing: it decrypts what it is given',
};

it('every route that changes something takes dryRun, or is one of a short list', () => {
  const changing = api.routes.flatMap(({ method, url, schema }) =>
    [method]
      .flat()
      .flatMap((one) => (['GET', 'HEAD', 'OPTIONS'].includes(one) ? [] : [{ of: `${one} ${url}`, schema }])),
  );
  expect(changing.length).toBeGreaterThan(12);
  const without = changing.filter(({ schema }) => {
    const { querystring } = (schema ?? {}) as { querystring?: { shape?: object } };
    return !Object.hasOwn(querystring?.shape ?? {}, 'dryRun');
  });
  expect(without.map(({ of }) => of).sort()).toEqual(Object.keys(unpreviewed).sort());
});

describe('dryRun of what an operator does to an open operation', () => {
  const made = (tenantId: string, states: Readonly<Record<string, string>>) =>
    Promise.all(
      Object.entries(states).map(([stepId, state]) =>
        api.database.query(
          `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
           select o.tenant_id, $2, o.cell, step ->> 'kind', o.id, $3, 1
           from operations o cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step
           where o.tenant_id = $1 and o.closed_at is null and step ->> 'id' = $2`,
          [tenantId, stepId, state],
        ),
      ),
    );
  let counter = 0;
  async function created(states: Readonly<Record<string, string>> = {}) {
    const { body } = await send('POST', '/api/v1/tenants', { ...acme, slug: `open-${(counter += 1)}` });
    const url = `/api/v1/tenants/${body.tenantId}`;
    await made(body.tenantId, states);
    return { ...body, url };
  }
  const became = ({ steps }: Preview, becomes: string) =>
    steps.filter((step) => step.becomes === becomes).map(({ stepId }) => stepId);
  async function previewed(url: string, payload?: object) {
    const before = await counts();
    const answer = await send('POST', `${url}?dryRun=true`, payload);
    expect(await counts()).toEqual(before);
    expect(api.orchestrator.taken).toEqual([]);
    return answer;
  }

  it('retry on hold runs again what is not done, and what reads something outside', async () => {
    const tenant = await created({ create_schema: 'ready', create_log_group: 'ready', validate: 'ready' });
    await api.move(tenant.tenantId, ['running', 'holding'], ['validating', 'creating']);
    const { status, body } = await previewed(`${tenant.url}/retry`);
    expect([status, body.operation]).toEqual([200, 'provision']);
    expect(body.control).toMatchObject({ verb: 'retry', state: 'holding', tenantStatus: 'active', leftovers: [] });
    expect(became(body, 'keep')).toEqual(expect.arrayContaining(['create_schema']));
    expect(became(body, 'make')).toEqual(expect.arrayContaining(['deploy_backend', 'finalize']));
  });

  it('retry of a stuck creation removes what is left, and leaves it failed', async () => {
    const tenant = await created({ create_schema: 'present', create_dns: 'removed' });
    await api.move(tenant.tenantId, ['running', 'rolling-back', 'stuck'], ['validating', 'creating', 'failed']);
    const { body } = await previewed(`${tenant.url}/retry`);
    expect(body.control).toMatchObject({ verb: 'retry', state: 'stuck', tenantStatus: 'failed' });
    expect([became(body, 'drop'), became(body, 'make')]).toEqual([['create_schema'], []]);
  });

  it('cancel removes what was made, and asks for nothing more', async () => {
    const tenant = await created({ create_schema: 'ready', 'create_target_group:backend': 'intended' });
    await api.move(tenant.tenantId, ['running'], ['validating', 'creating']);
    const { body } = await previewed(`${tenant.url}/cancel`);
    expect(body.control).toMatchObject({ verb: 'cancel', state: 'running', tenantStatus: 'failed' });
    expect(became(body, 'drop').sort()).toEqual(['create_schema', 'create_target_group:backend']);
    expect(new Set(body.steps.map(({ becomes }) => becomes))).toEqual(new Set(['drop']));
  });

  it('cancel of an operation that no worker has begun removes nothing, and says what the tenant is then', async () => {
    const tenant = await created();
    const { body } = await previewed(`${tenant.url}/cancel`);
    expect(body.control).toMatchObject({ state: 'accepted', tenantStatus: 'deleted' });
    expect(body.steps).toEqual([]);
  });

  it('cancel of a change brings back the fields and the settings of before', async () => {
    const tenant = await created();
    await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    api.orchestrator.end(tenant.workflowId);
    const settings = { services: { backend: { count: 3 } } };
    expect((await send('PATCH', tenant.url, { settings })).status).toBe(202);
    await made(tenant.tenantId, { deploy_backend: 'present' });
    await api.move(tenant.tenantId, ['running'], ['updating']);
    const { body } = await previewed(`${tenant.url}/cancel`);
    expect(body.control).toMatchObject({ verb: 'cancel', state: 'running', tenantStatus: 'active' });
    expect(became(body, 'change')).toContain('deploy_backend');
    expect(body.steps.find(({ stepId }) => stepId === 'deploy_backend')?.fields).toEqual([
      { field: 'desiredCount', from: 3, to: 1 },
    ]);
    expect([became(body, 'drop'), body.settings]).toEqual([[], {}]);
  });

  it('abandon says what stays, and what the tenant is then', async () => {
    const tenant = await created({ create_schema: 'removing' });
    await api.move(tenant.tenantId, ['running', 'rolling-back', 'stuck'], ['validating', 'creating', 'failed']);
    const { status, body } = await previewed(`${tenant.url}/abandon`, { reason: 'kept' });
    expect([status, body.control]).toMatchObject([200, { verb: 'abandon', state: 'stuck', tenantStatus: 'failed' }]);
    expect(body.control.leftovers.map(({ stepId }) => stepId)).toEqual(['create_schema']);
    expect((await send('POST', `${tenant.url}/abandon`, { reason: 'kept' })).status).toBe(200);
  });

  it('is refused as the request would be', async () => {
    const tenant = await created();
    await api.move(tenant.tenantId, ['running', 'committing'], ['validating', 'creating']);
    const refusal = async (path: string, payload?: object) => {
      const { status, body } = await previewed(`${tenant.url}/${path}`, payload);
      return [status, body.error.code];
    };
    expect(await refusal('cancel')).toEqual([409, 'NOT_CANCELLABLE']);
    expect(await refusal('retry')).toEqual([409, 'NOTHING_TO_RETRY']);
    expect(await refusal('abandon', { reason: 'x' })).toEqual([409, 'NOT_STUCK']);
    expect(await refusal('abandon', {})).toEqual([400, 'INVALID_INPUT']);
    await api.move(tenant.tenantId, ['succeeded'], ['active']);
    expect(await refusal('cancel')).toEqual([409, 'NOT_CANCELLABLE']);
  });
});

it('dryRun of a freeze and of its lift says how many tenants it is of, and changes nothing', async () => {
  const payload = { product: 'moamalat', reason: 'database upgrade' };
  const { rows } = await api.database.query("select count(*)::int as n from tenants where status <> 'deleted'");
  const { status, body } = await send('POST', '/api/v1/freezes?dryRun=true', payload);
  const { n: tenants } = rows[0] as { n: number };
  expect([status, body]).toMatchObject([200, { dryRun: true, product: 'moamalat', cell: null, tenants }]);
  expect(tenants).toBeGreaterThan(0);
  expect(await api.client.freezes(caller)).toEqual([]);
  const { freezeId } = (await send('POST', '/api/v1/freezes', payload)).body;
  const lift = await send('DELETE', `/api/v1/freezes/${freezeId}?dryRun=true`);
  expect([lift.status, lift.body]).toMatchObject([200, { dryRun: true, tenants }]);
  expect(await api.client.freezes(caller)).toHaveLength(1);
  expect((await send('DELETE', `/api/v1/freezes/${freezeId}`)).status).toBe(200);
});
