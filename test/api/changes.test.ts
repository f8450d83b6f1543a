import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Blueprint } from '../../src/contracts/blueprint.ts';
import { listEvents } from '../../src/db/events.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { listSettings } from '../../src/db/settings.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { anyString, containing } from './matchers.ts';

let api: ApiFixture;
beforeAll(async () => {
  const [one] = exampleCell().loadBalancers;
  const loadBalancers = one ? [one, { ...one, arn: `${one.arn}-2` }] : [];
  api = await createApiFixture({ platform: examplePlatform({ loadBalancers }) });
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
});

interface Answer {
  tenantId: string;
  operationId: string;
  workflowId: string;
  settings: unknown;
  settingsVersion: number;
  error: {
    code: string;
    message: string;
    details: { fields?: { field: string; problem: string }[]; problems?: string[] };
  };
}

let counter = 0;
async function active(settings?: object): Promise<Answer & { url: string }> {
  const payload = { ...acme, slug: `change-${(counter += 1)}`, settings };
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
  const tenant = answer.json<Answer>();
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return { ...tenant, url: `/api/v1/tenants/${tenant.tenantId}` };
}
async function send(method: 'PATCH' | 'POST', url: string, payload: object) {
  const answer = await api.app.inject({ method, url, payload });
  return { status: answer.statusCode, body: answer.json<Answer>(), requestId: answer.headers['x-request-id'] };
}
const backend = (choice: object) => ({ settings: { services: { backend: choice } } });
const shown = async (url: string) => (await api.app.inject({ url })).json<Answer>();
const stepOf = async (operationId: string, id: string) =>
  ((await findBlueprint(api.database, operationId)) as Blueprint).steps.find((step) => step.id === id)?.spec;
const newestOf = async ({ tenantId }: { tenantId: string }) => (await listOperationsOf(api.database, tenantId))[0];

describe('PATCH /api/v1/tenants/{tenantId}', () => {
  it('with refresh begins an update though no setting changes, and records that it reads anew', async () => {
    const tenant = await active();
    expect((await send('PATCH', tenant.url, {})).status).toBe(200);
    const { status, body } = await send('PATCH', tenant.url, { refresh: true });
    expect(status).toBe(202);
    expect(await newestOf(tenant)).toMatchObject({ id: body.operationId, type: 'update', refreshes: true });
  });

  it('accepts other settings: an update that carries the blueprint they give, and who asked for it', async () => {
    const tenant = await active();
    const { status, body, requestId } = await send('PATCH', tenant.url, backend({ count: 3 }));
    expect([status, body]).toEqual([
      202,
      expect.objectContaining({
        ...{ tenantId: tenant.tenantId, operationId: anyString, workflowId: tenant.workflowId, status: 'active' },
        ...{ statusUrl: `${tenant.url}/status`, message: containing('the change is accepted') },
      }),
    ]);
    expect(api.orchestrator.open.get(tenant.workflowId)).toMatchObject({
      ...{ operationId: body.operationId, type: 'update', tenantStatus: 'active' },
    });
    expect(await newestOf(tenant)).toMatchObject({ id: body.operationId, type: 'update', onFailure: 'rollback' });
    expect(await stepOf(body.operationId, 'deploy_backend')).toMatchObject({ desiredCount: 3 });
    expect(await stepOf(tenant.operationId, 'deploy_backend')).toMatchObject({ desiredCount: 1 });
    expect(await shown(tenant.url)).toMatchObject({ ...backend({ count: 3 }), settingsVersion: 2 });
    const [newest] = await listSettings(api.database, tenant.tenantId);
    expect(newest).toMatchObject({ version: 2, operationId: body.operationId, caller: { requestId } });
  });

  it('merges what it is given into what is desired; null takes a choice back', async () => {
    const tenant = await active({
      services: { backend: { count: 3, cpu: 512, memory: 1_024 }, frontend: { count: 2 } },
    });
    const settings = { services: { backend: { count: 4, cpu: null, memory: null } } };
    const { status, body } = await send('PATCH', tenant.url, { settings });
    expect(status).toBe(202);
    expect((await shown(tenant.url)).settings).toEqual({ services: { backend: { count: 4 }, frontend: { count: 2 } } });
    expect(await stepOf(body.operationId, 'create_task_definition:backend')).not.toHaveProperty('cpu');
  });

  it('answers 200 and begins nothing when nothing differs, or nothing has to be carried out', async () => {
    const tenant = await active();
    expect(await send('PATCH', tenant.url, {})).toMatchObject({
      status: 200,
      body: { settings: {}, settingsVersion: 1 },
    });
    // The default, chosen.
    const chosen = backend({ count: 1 });
    expect(await send('PATCH', tenant.url, chosen)).toMatchObject({
      status: 200,
      body: { ...chosen, settingsVersion: 2 },
    });
    expect(await send('PATCH', tenant.url, chosen)).toMatchObject({ status: 200, body: { settingsVersion: 2 } });
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
    expect((await listSettings(api.database, tenant.tenantId)).map(({ operationId }) => operationId)).toEqual([
      null,
      tenant.operationId,
    ]);
  });

  it('names what is wrong by field, and changes nothing', async () => {
    const tenant = await active();
    const refused = await send('PATCH', tenant.url, backend({ image: 'elsewhere/app:1', count: 99, color: 1 }));
    expect([refused.status, refused.body.error.code]).toEqual([400, 'INVALID_INPUT']);
    expect(new Set(refused.body.error.details.fields?.map(({ field }) => field))).toEqual(
      new Set(['image', 'count'].map((name) => `body.settings.services.backend.${name}`)).add(
        'body.settings.services.backend',
      ),
    );
    expect((await send('PATCH', tenant.url, { color: 1 })).status).toBe(400);
    expect(await shown(tenant.url)).toMatchObject({ settings: {}, settingsVersion: 1 });
  });

  it('refuses in words what cannot be changed in place, with everything that is in the way', async () => {
    const tenant = await active();
    await api.database.query(
      `update operations set blueprint = jsonb_set(blueprint, '{steps}', (
         select jsonb_agg(case when step ->> 'kind' = 'target-group' then jsonb_set(step, '{spec,port}', '81') else step end)
         from jsonb_array_elements(blueprint -> 'steps') step)) where id = $1`,
      [tenant.operationId],
    );
    const refused = await send('PATCH', tenant.url, backend({ count: 2 }));
    expect([refused.status, refused.body.error.code]).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(refused.body.error.details.problems).toEqual([
      'port of the target-group "create_target_group:backend" cannot be changed from 81 to 8080: of what is there only healthPath can',
      'port of the target-group "create_target_group:frontend" cannot be changed from 81 to 80: of what is there only healthPath can',
    ]);
    expect(await shown(tenant.url)).toMatchObject({ settings: {}, settingsVersion: 1 });
    expect(await newestOf(tenant)).toMatchObject({ type: 'provision' });
  });

  it('waits for no other operation, and lets one of two simultaneous requests win', async () => {
    const tenant = await active();
    const answers = await Promise.all([2, 3].map((count) => send('PATCH', tenant.url, backend({ count }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const loser = answers.find(({ status }) => status === 409)?.body.error;
    expect(loser).toMatchObject({
      code: 'OPERATION_IN_PROGRESS',
      message: containing("the tenant's update operation"),
    });
    expect(await listSettings(api.database, tenant.tenantId)).toHaveLength(2);
    expect((await send('PATCH', tenant.url, {})).status).toBe(409);
    const wrong = await send('PATCH', tenant.url, backend({ count: 1e20 }));
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.message).toBe('body.settings.services.backend.count: must be at most 10');
  });

  it('refuses a tenant that is not active, and one that does not exist', async () => {
    const payload = { ...acme, slug: 'change-failed' };
    const { tenantId } = (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<Answer>();
    await api.move(tenantId, ['running', 'rolling-back', 'rolled-back'], ['validating', 'failed']);
    const refused = await send('PATCH', `/api/v1/tenants/${tenantId}`, backend({ count: 2 }));
    expect([refused.status, refused.body.error.code]).toEqual([409, 'TENANT_NOT_CHANGEABLE']);
    const nobody = await send('PATCH', '/api/v1/tenants/6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', {});
    expect([nobody.status, nobody.body.error.code]).toEqual([404, 'TENANT_NOT_FOUND']);
  });

  it.each([['before'], ['after']] as const)(
    'desires nothing of it any more when its start fails %s its effect: 503, withdrawn',
    async (fault) => {
      const tenant = await active(backend({ count: 2 }).settings);
      api.orchestrator.startFault = fault;
      const refused = await send('PATCH', tenant.url, backend({ count: 3 }));
      expect([refused.status, refused.body.error.code]).toEqual([503, 'ORCHESTRATOR_UNAVAILABLE']);
      expect(await newestOf(tenant)).toMatchObject({ type: 'update', state: 'withdrawn' });
      expect(await shown(tenant.url)).toMatchObject({ ...backend({ count: 2 }), status: 'active' });
    },
  );

  it('compares with what is applied, not with what an update that failed wanted', async () => {
    const tenant = await active();
    expect((await send('PATCH', tenant.url, backend({ count: 3 }))).status).toBe(202);
    await api.move(tenant.tenantId, ['running', 'rolling-back', 'rolled-back']);
    api.orchestrator.end(tenant.workflowId);
    expect(await shown(tenant.url)).toMatchObject({ settings: {}, settingsVersion: 1 });
    expect((await send('PATCH', tenant.url, {})).status).toBe(200);
    expect((await send('PATCH', tenant.url, backend({ count: 3 }))).status).toBe(202);
    await api.move(tenant.tenantId, ['running', 'committing', 'succeeded']);
    api.orchestrator.end(tenant.workflowId);
    expect((await send('PATCH', tenant.url, backend({ count: 3 }))).status).toBe(200);
    expect(await shown(tenant.url)).toMatchObject({ ...backend({ count: 3 }), settingsVersion: 3 });
  });

  it('keeps the load balancer that each tenant was placed on, whichever has more room now', async () => {
    const tenants = [await active(), await active()];
    const placedOn = async ({ operationId }: Answer) => (await stepOf(operationId, 'create_dns'))?.loadBalancerArn;
    const before = await Promise.all(tenants.map(placedOn));
    expect(new Set(before).size).toBe(2);
    const after = [];
    for (const { url } of tenants) after.push(await placedOn((await send('PATCH', url, backend({ count: 2 }))).body));
    expect(after).toEqual(before);
  });
});

describe('POST /api/v1/tenants/{tenantId}/scale', () => {
  it('is a change of one count', async () => {
    const tenant = await active(backend({ cpu: 512, memory: 1_024 }).settings);
    const { status, body } = await send('POST', `${tenant.url}/scale`, {
      service: 'backend',
      count: 3,
      onFailure: 'hold',
    });
    expect(status).toBe(202);
    expect((await shown(tenant.url)).settings).toEqual(backend({ cpu: 512, memory: 1_024, count: 3 }).settings);
    expect(await newestOf(tenant)).toMatchObject({ id: body.operationId, type: 'update', onFailure: 'hold' });
    expect(await stepOf(body.operationId, 'deploy_backend')).toMatchObject({ desiredCount: 3 });
  });

  it.each([
    [{ count: 3 }, 'body.service: is required: must be one of backend, frontend'],
    [{ service: 'worker', count: 3 }, 'body.service: must be one of backend, frontend'],
    [{ service: 'backend', count: 11 }, 'body.count: must be at most 10'],
    [{ service: 'backend', count: 0 }, 'body.count: must be at least 1'],
    [{ service: 'backend' }, 'body.count: is required'],
  ])('refuses %j', async (payload, said) => {
    const tenant = await active();
    const refused = await send('POST', `${tenant.url}/scale`, payload);
    expect([refused.status, refused.body.error.message]).toEqual([400, said]);
  });
});

describe('?dryRun=true', () => {
  /** The rows that a worker leaves of a tenant that is wholly there. */
  const makeReady = ({ tenantId, operationId }: Answer) =>
    api.database.query(
      `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
       select $1, step ->> 'id', o.cell, step ->> 'kind', o.id, 'ready', 1
       from operations o, jsonb_array_elements(o.blueprint -> 'steps') step where o.id = $2`,
      [tenantId, operationId],
    );
  const written = async () => {
    const tables = ['tenants', 'operations', 'events', 'allocations', 'tenant_settings', 'steps'];
    const counts = tables.map((name) => `(select count(*) from ${name})`).join(', ');
    return (await api.database.query(`select array[${counts}] as counts`)).rows;
  };
  interface Preview {
    dryRun: boolean;
    operation: string | null;
    settings: unknown;
    steps: { stepId: string; becomes: string; fields: unknown[] }[];
  }
  const previewOf = async (method: 'PATCH' | 'POST', url: string, payload: object) =>
    (await send(method, `${url}?dryRun=true`, payload)).body as unknown as Preview;

  it('says what becomes of each step, from what to what, and what follows from that; nothing is written', async () => {
    const tenant = await active();
    await makeReady(tenant);
    const before = await written();
    const preview = await previewOf('PATCH', tenant.url, backend({ count: 3, cpu: 512, memory: 1_024 }));
    expect(preview).toMatchObject({
      ...{ dryRun: true, tenantId: tenant.tenantId, operation: 'update' },
      ...backend({ count: 3, cpu: 512, memory: 1_024 }),
    });
    expect(preview.steps.filter(({ becomes }) => becomes !== 'keep')).toMatchObject([
      {
        ...{ stepId: 'create_task_definition:backend', kind: 'task-definition', becomes: 'change' },
        fields: [
          { field: 'cpu', to: 512 },
          { field: 'memory', to: 1_024 },
        ],
      },
      {
        ...{ stepId: 'deploy_backend', kind: 'ecs-service', becomes: 'change' },
        fields: [{ field: 'desiredCount', from: 1, to: 3 }],
      },
    ]);
    expect(preview.steps).toHaveLength(14);
    const scaled = await previewOf('POST', `${tenant.url}/scale`, { service: 'frontend', count: 2 });
    expect(scaled.steps.filter(({ becomes }) => becomes !== 'keep').map(({ stepId }) => stepId)).toEqual([
      'deploy_frontend',
    ]);
    expect(await previewOf('PATCH', tenant.url, {})).toMatchObject({ operation: null, settings: {} });
    expect(await written()).toEqual(before);
    expect(api.orchestrator.open.has(tenant.workflowId)).toBe(false);
    expect((await send('PATCH', tenant.url, backend({ count: 3 }))).status).toBe(202);
  });

  it('is refused as the request would be', async () => {
    const tenant = await active();
    const wrong = await send('PATCH', `${tenant.url}?dryRun=true`, backend({ count: 99 }));
    expect([wrong.status, wrong.body.error.code]).toEqual([400, 'INVALID_INPUT']);
    expect((await send('PATCH', `${tenant.url}?dryRun=maybe`, {})).status).toBe(400);
    await send('PATCH', tenant.url, backend({ count: 2 }));
    const open = await send('PATCH', `${tenant.url}?dryRun=true`, backend({ count: 3 }));
    expect([open.status, open.body.error.code]).toEqual([409, 'OPERATION_IN_PROGRESS']);
  });
});

describe('what an abandoned update left otherwise', () => {
  it('is brought back by the next one, though nothing else is chosen', async () => {
    const tenant = await active();
    await api.database.query(
      `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation, inputs_hash, applied)
       values ($1, 'deploy_backend', 'default', 'ecs-service', $2, 'ready', 1, 'other', '{"outputs": {}, "outputsHash": "o", "inputsHash": "applied"}')`,
      [tenant.tenantId, tenant.operationId],
    );
    expect((await send('PATCH', tenant.url, {})).status).toBe(202);
    expect(await newestOf(tenant)).toMatchObject({ type: 'update' });
  });
});

describe('PATCH of what a tenant is called and who is written to', () => {
  const details = { displayName: 'Acme Holding', contactEmail: 'new-ops@acme.example' };
  const told = async ({ tenantId }: Answer) =>
    (await listEvents(api.database, tenantId)).filter(({ type }) => type === 'tenant.details');

  it('takes effect at once, without an operation, and is on record with who asked and what it was', async () => {
    const tenant = await active();
    const { status, body, requestId } = await send('PATCH', tenant.url, details);
    expect([status, body]).toMatchObject([200, { ...details, settingsVersion: 1, credentials: 1 }]);
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
    const [event] = await told(tenant);
    expect(event).toMatchObject({
      operationId: null,
      caller: { requestId },
      data: {
        displayName: { from: acme.displayName, to: details.displayName },
        contactEmail: { from: acme.contactEmail, to: details.contactEmail },
      },
    });
    expect((await send('PATCH', tenant.url, details)).status).toBe(200);
    expect(await told(tenant)).toHaveLength(1);
  });

  it('is taken while an operation is open, and not of a tenant that is deleted', async () => {
    const tenant = await active();
    expect((await send('PATCH', tenant.url, backend({ count: 2 }))).status).toBe(202);
    expect((await send('PATCH', tenant.url, { displayName: 'Acme' })).status).toBe(200);
    await api.move(tenant.tenantId, ['running', 'rolling-back', 'rolled-back'], ['updating', 'active']);
    await api.database.query(`update tenants set status = 'deleting' where id = $1`, [tenant.tenantId]);
    await api.database.query(`update tenants set status = 'deleted' where id = $1`, [tenant.tenantId]);
    const refused = await send('PATCH', tenant.url, { displayName: 'Nobody' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'TENANT_NOT_CHANGEABLE']);
  });

  it('is checked as at the creation, comes without settings, and is previewed', async () => {
    const tenant = await active();
    const refusal = async (payload: object) => {
      const { status, body } = await send('PATCH', tenant.url, payload);
      return [status, body.error.details.fields?.map(({ field }) => field)];
    };
    expect(await refusal({ displayName: ' ' })).toEqual([400, ['body.displayName']]);
    expect(await refusal({ contactEmail: 'nobody' })).toEqual([400, ['body.contactEmail']]);
    expect(await refusal({ displayName: null })).toEqual([400, ['body.displayName']]);
    expect(await refusal({ displayName: 'Acme', ...backend({ count: 2 }) })).toEqual([400, ['body.displayName']]);
    const previewed = await send('PATCH', `${tenant.url}?dryRun=true`, { displayName: 'Acme Holding' });
    expect([previewed.status, previewed.body]).toMatchObject([
      200,
      { dryRun: true, operation: null, details: { displayName: 'Acme Holding', contactEmail: acme.contactEmail } },
    ]);
    expect(await shown(tenant.url)).toMatchObject({ displayName: acme.displayName });
  });
});

it('application/merge-patch+json is a PATCH, and nothing else is', async () => {
  const tenant = await active();
  const headers = { 'content-type': 'application/merge-patch+json' };
  const payload = JSON.stringify({ displayName: 'Merged' });
  const patched = await api.app.inject({ method: 'PATCH', url: tenant.url, headers, payload });
  expect([patched.statusCode, patched.json()]).toMatchObject([200, { displayName: 'Merged' }]);
  const posted = await api.app.inject({ method: 'POST', url: `${tenant.url}/suspend`, headers, payload: '{}' });
  expect([posted.statusCode, posted.json<Answer>().error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
});

describe('GET .../settings/history', () => {
  interface Version {
    version: number;
    before: { version: number; settings: object; credentials: number } | null;
    operation: { type: string; state: string } | null;
  }
  const history = async (url: string) => {
    const answer = await api.app.inject({ url });
    const body = answer.json<Answer & { history: Version[]; nextCursor: string | null }>();
    return { status: answer.statusCode, body };
  };

  it('tells each choice, who made it, what was desired before and what became of it, page by page', async () => {
    const tenant = await active();
    const { requestId } = await send('PATCH', tenant.url, backend({ count: 3 }));
    await api.move(tenant.tenantId, ['running', 'rolling-back', 'rolled-back'], ['updating', 'active']);
    api.orchestrator.end(tenant.workflowId);
    await send('PATCH', tenant.url, backend({ count: 1 }));
    expect((await send('POST', `${tenant.url}/rotate`, {})).status).toBe(202);
    const url = `${tenant.url}/settings/history`;
    const { status, body } = await history(url);
    expect([status, body.nextCursor]).toEqual([200, null]);
    const count = (n: number) => ({ services: { backend: { count: n } } });
    expect(body.history).toMatchObject([
      {
        ...{ version: 4, settings: count(1), mode: 'active', credentials: 2 },
        ...{ before: { version: 3, credentials: 1 }, operation: { type: 'rotate', state: 'accepted' } },
      },
      // What failed was taken back: it is not what the next choice began from.
      { version: 3, settings: count(1), before: { version: 1, settings: {} }, operation: null },
      {
        ...{ version: 2, settings: count(3), before: { version: 1, settings: {} } },
        ...{ operation: { type: 'update', state: 'rolled-back' }, caller: { requestId } },
      },
      { version: 1, settings: {}, before: null, operation: { type: 'provision', state: 'succeeded' } },
    ]);
    const first = await history(`${url}?limit=3`);
    const rest = await history(`${url}?limit=3&cursor=${first.body.nextCursor ?? ''}`);
    expect([...first.body.history, ...rest.body.history]).toEqual(body.history);
    expect(rest.body.nextCursor).toBeNull();
    expect(await shown(tenant.url)).toMatchObject({ credentials: 2 });
  });

  it('is refused for a tenant that is not there, and with a cursor that no page ended with', async () => {
    const tenant = await active();
    const elsewhere = await history(`/api/v1/tenants/${crypto.randomUUID()}/settings/history`);
    expect([elsewhere.status, elsewhere.body.error.code]).toEqual([404, 'TENANT_NOT_FOUND']);
    for (const cursor of ['x', Buffer.from('[0]').toString('base64url'), Buffer.from('["1"]').toString('base64url')]) {
      const refused = await history(`${tenant.url}/settings/history?cursor=${cursor}`);
      expect([refused.status, refused.body.error.code]).toEqual([400, 'INVALID_INPUT']);
    }
  });
});
