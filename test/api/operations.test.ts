import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findOperation, listOperationsOf } from '../../src/db/operations.ts';
import { findSlugHolder, releaseSlug } from '../../src/db/reservations.ts';
import { recordRemovalFailure } from '../../src/db/step-removal.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';
import { createApiFixture, acme, type ApiFixture } from './api-fixture.ts';
import { anyString, containing } from './matchers.ts';
import { testCaller } from '../support/caller.ts';

let api: ApiFixture;
beforeAll(async () => {
  // A load balancer takes 33 tenants.
  const loadBalancers = exampleCell().loadBalancers.flatMap((one) => [one, { ...one, arn: `${one.arn}-2` }]);
  api = await createApiFixture({ platform: examplePlatform({ loadBalancers }) });
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
  api.orchestrator.updateFault = undefined;
  api.orchestrator.unreachable = false;
});

interface Accepted {
  tenantId: string;
  operationId: string;
  workflowId: string;
  status: string;
}
let counter = 0;
async function created(): Promise<Accepted & { slug: string }> {
  const slug = `tenant-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  expect(answer.statusCode).toBe(202);
  return { ...answer.json<Accepted>(), slug };
}
async function claimed() {
  const tenant = await created();
  expect(await api.orchestrator.claim(tenant.operationId)).toBe(true);
  return tenant;
}
async function active() {
  const tenant = await claimed();
  await api.move(tenant.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function stuck() {
  const tenant = await claimed();
  await intend(tenant);
  await api.move(tenant.tenantId, ['rolling-back', 'stuck'], ['creating', 'failed']);
  return tenant;
}
const intend = (tenant: Accepted) =>
  recordIntent(api.database, {
    key: {
      tenantId: tenant.tenantId,
      cell: 'default',
      operationId: tenant.operationId,
      stepId: 'create_schema',
      kind: 'postgres-schema',
      generation: 1,
    },
    resources: [{ type: 'postgres:schema', name: 'tenant_1' }],
    latenessMs: 0,
    attempt: 1,
    sawMade: false,
  });
const send = async (method: 'GET' | 'POST' | 'DELETE', path: string) => {
  const answer = await api.app.inject({ method, url: `/api/v1/tenants/${path}` });
  const body = answer.json<Accepted & { error?: { code: string }; operation: { type: string; state: string } }>();
  return { code: answer.statusCode, body, error: body.error?.code };
};

describe('cancel', () => {
  it('takes an operation that no run has claimed back at once; a later run finds nothing to claim', async () => {
    const tenant = await created();
    expect((await send('POST', `${tenant.tenantId}/cancel`)).code).toBe(202);
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('cancelled');
    expect((await send('GET', tenant.tenantId)).body.status).toBe('deleted');
    expect(await findSlugHolder(api.database, { product: 'moamalat', slug: tenant.slug })).toBeUndefined();
    expect(await api.orchestrator.claim(tenant.operationId)).toBe(false);
    expect((await send('POST', `${tenant.tenantId}/cancel`)).error).toBe('NOT_CANCELLABLE');
  });

  it('of an operation that no run has claimed, among other requests: each is answered as the database has it', async () => {
    const tenant = await created();
    // No worker: nobody answers for a run.
    api.orchestrator.updateFault = 'before';
    const [cancel, retry] = [`${tenant.tenantId}/cancel`, `${tenant.tenantId}/retry`];
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)),
      ...Array.from({ length: 8 }, () => send('POST', cancel)),
      ...Array.from({ length: 4 }, () => send('POST', retry)),
    ]);
    const errors = answers.map(({ code, error }) => error ?? code);
    expect(errors.filter((error) => error === 202)).toHaveLength(1);
    expect(errors.slice(8, 16).filter((error) => error === 'NOT_CANCELLABLE')).toHaveLength(7);
    expect(errors.slice(16)).toEqual(Array.from({ length: 4 }, () => 'NOTHING_TO_RETRY'));
    for (const error of errors.slice(0, 8)) expect(['OPERATION_IN_PROGRESS', 'TENANT_NOT_DELETABLE']).toContain(error);
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('cancelled');
  });

  it('says what was accepted: the status is still the one before', async () => {
    const message = (answer: { body: object }) => ('message' in answer.body ? answer.body.message : undefined);
    const [living, failed, early] = [await active(), await stuck(), await created()];
    expect(message(await send('DELETE', `${living.tenantId}?confirm=${living.slug}`))).toBe(
      'the deletion is accepted, and a worker carries it out; no final dump: no step of the tenant holds data',
    );
    expect(message(await send('POST', `${failed.tenantId}/retry`))).toBe(
      'the retry is accepted, and a worker carries it out',
    );
    expect(message(await send('POST', `${early.tenantId}/cancel`))).toContain('cancelled before a worker began it');
  });

  it('asks the run of a claimed operation, by its operation id', async () => {
    const tenant = await claimed();
    const answer = await send('POST', `${tenant.tenantId}/cancel`);
    expect([answer.code, answer.body.operationId]).toEqual([202, tenant.operationId]);
    expect(api.orchestrator.taken).toContainEqual({ operationId: tenant.operationId, verb: 'cancel' });
    expect((await findOperation(api.database, tenant.operationId))?.cancelRequestedAt).toBeInstanceOf(Date);
  });

  it('is refused past the point of no return, and when nothing is open', async () => {
    const tenant = await claimed();
    await api.move(tenant.tenantId, ['committing']);
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 409, error: 'NOT_CANCELLABLE' });
    expect((await findOperation(api.database, tenant.operationId))?.cancelRequestedAt).toBeNull();
    const other = await active();
    expect(await send('POST', `${other.tenantId}/cancel`)).toMatchObject({ code: 409, error: 'NOT_CANCELLABLE' });
  });

  it('is refused to a deprovisioning, in every state', async () => {
    const tenant = await active();
    const { body } = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    for (const state of ['accepted', 'committing', 'stuck'] as const) {
      if (state !== 'accepted')
        await api.move(tenant.tenantId, state === 'stuck' ? ['stuck'] : ['running', 'committing']);
      expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 409, error: 'NOT_CANCELLABLE' });
      expect((await findOperation(api.database, body.operationId))?.state).toBe(state);
    }
  });

  it('says that the run was lost when it ended without closing its operation, and 503 when no worker answers', async () => {
    const tenant = await claimed();
    api.orchestrator.unreachable = true;
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({
      code: 503,
      error: 'ORCHESTRATOR_UNAVAILABLE',
    });
    api.orchestrator.unreachable = false;
    api.orchestrator.end(tenant.workflowId);
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 409, error: 'RUN_LOST' });
    expect(await send('POST', `${tenant.tenantId}/retry`)).toMatchObject({ code: 409, error: 'RUN_LOST' });
    expect(api.orchestrator.open.get(tenant.workflowId)).toBeUndefined();
  });
});

describe('abandon', () => {
  const abandon = (tenantId: string, payload: object = { reason: 'the bucket is kept for the auditors' }) =>
    api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/abandon`, payload });

  it('closes a stuck operation with its reason on record; tenant, slug and ledger stay until a DELETE', async () => {
    const tenant = await stuck();
    const answer = await abandon(tenant.tenantId);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ operationId: tenant.operationId, state: 'abandoned' });
    expect(api.orchestrator.closed.get(tenant.operationId)).toBe('abandoned');
    const events = await api.client.events(testCaller, tenant.tenantId, { after: 0, limit: 100 });
    expect(events.at(-1)).toMatchObject({
      type: 'operation.state',
      data: { from: 'stuck', to: 'abandoned', reason: 'the bucket is kept for the auditors' },
    });
    expect((await send('GET', tenant.tenantId)).body.status).toBe('failed');
    const holder = await findSlugHolder(api.database, { product: 'moamalat', slug: tenant.slug });
    expect(holder?.tenantId).toBe(tenant.tenantId);
    expect((await abandon(tenant.tenantId)).json()).toMatchObject({ error: { code: 'NOT_STUCK' } });
    expect((await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).code).toBe(202);
  });

  it('whose run missed its end is closed by the worker that starts the deletion', async () => {
    const tenant = await stuck();
    await api.move(tenant.tenantId, ['abandoned']);
    expect(api.orchestrator.open.get(tenant.workflowId)?.operationId).toBe(tenant.operationId);
    const { body } = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    const deletion = (await findOperation(api.database, body.operationId))!;
    expect(await api.client.startAccepted(testCaller, deletion)).toBe('already-open'); // and tells it
    expect(await api.client.startAccepted(testCaller, deletion)).toBe('started');
    expect(api.orchestrator.closed.get(tenant.operationId)).toBe('abandoned');
    expect(api.orchestrator.open.get(tenant.workflowId)?.operationId).toBe(body.operationId);
  });

  it('applies to stuck operations only, and wants a reason', async () => {
    for (const tenant of [await created(), await claimed(), await active()]) {
      const answer = await abandon(tenant.tenantId);
      expect([answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([409, 'NOT_STUCK']);
    }
    const tenant = await stuck();
    for (const payload of [{}, { reason: '   ' }, { reason: 'x', more: 1 }])
      expect((await abandon(tenant.tenantId, payload)).statusCode).toBe(400);
    api.orchestrator.unreachable = true;
    expect((await abandon(tenant.tenantId)).statusCode).toBe(503);
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('stuck');
  });
});

describe('retry', () => {
  it('is taken while an operation holds or is stuck', async () => {
    const holding = await claimed();
    await api.move(holding.tenantId, ['holding'], ['creating']);
    expect((await send('POST', `${holding.tenantId}/retry`)).code).toBe(202);
    expect((await send('POST', `${(await stuck()).tenantId}/retry`)).code).toBe(202);
  });

  it('starts a run that takes over when the run of a stuck operation is lost, and only one', async () => {
    const tenant = await stuck();
    api.orchestrator.end(tenant.workflowId);
    expect(await send('POST', `${tenant.tenantId}/cancel`)).toMatchObject({ code: 409, error: 'RUN_LOST' });
    api.orchestrator.startFault = 'before';
    expect(await send('POST', `${tenant.tenantId}/retry`)).toMatchObject({ code: 504, error: 'OUTCOME_UNKNOWN' });
    api.orchestrator.startFault = undefined;
    expect(await send('POST', `${tenant.tenantId}/retry`)).toMatchObject({
      code: 202,
      body: { operationId: tenant.operationId },
    });
    const lost = `run-of-${tenant.operationId}`;
    const open = api.orchestrator.open.get(tenant.workflowId);
    expect(open).toMatchObject({ operationId: tenant.operationId, type: 'provision', takesOver: lost });
    // It has not claimed the operation yet: a retry that comes now asks that run, and starts no other.
    expect((await send('POST', `${tenant.tenantId}/retry`)).code).toBe(202);
    expect(api.orchestrator.open.get(tenant.workflowId)).toBe(open);
  });

  it('takes nothing back of a tenant whose run completed: then the database is what is behind', async () => {
    const tenant = await stuck();
    api.orchestrator.end(tenant.workflowId, new Date(), 'COMPLETED');
    expect(await send('POST', `${tenant.tenantId}/retry`)).toMatchObject({
      code: 409,
      error: 'NOTHING_TO_RETRY',
      body: { error: { message: expect.stringContaining('restored backup') as unknown } },
    });
    expect(api.orchestrator.open.get(tenant.workflowId)).toBeUndefined();
  });

  it('is refused with NOTHING_TO_RETRY otherwise', async () => {
    for (const tenant of [await created(), await claimed(), await active()]) {
      expect(await send('POST', `${tenant.tenantId}/retry`)).toMatchObject({ code: 409, error: 'NOTHING_TO_RETRY' });
    }
  });
});

describe('DELETE', () => {
  it('and abandon close a stuck operation whose run is lost', async () => {
    const deleted = await stuck();
    api.orchestrator.end(deleted.workflowId);
    const answer = await send('DELETE', `${deleted.tenantId}?confirm=${deleted.slug}`);
    expect(answer.code).toBe(202);
    expect((await findOperation(api.database, deleted.operationId))?.state).toBe('superseded');
    expect(api.orchestrator.open.get(deleted.workflowId)).toMatchObject({ operationId: answer.body.operationId });

    const abandoned = await stuck();
    api.orchestrator.end(abandoned.workflowId);
    const url = `/api/v1/tenants/${abandoned.tenantId}/abandon`;
    const closed = await api.app.inject({ method: 'POST', url, payload: { reason: 'its run is lost' } });
    expect(closed.json()).toMatchObject({ operationId: abandoned.operationId, state: 'abandoned' });
  });

  it('needs the slug as confirmation', async () => {
    const tenant = await active();
    for (const query of ['', '?confirm=', '?confirm=other']) {
      expect(await send('DELETE', `${tenant.tenantId}${query}`)).toMatchObject({
        code: 400,
        error: 'CONFIRMATION_REQUIRED',
      });
    }
    const wrong = await api.app.inject({ method: 'DELETE', url: `/api/v1/tenants/${tenant.tenantId}?confirm=other` });
    expect(wrong.json()).toMatchObject({
      error: { message: `"other" is not the slug of tenant ${tenant.tenantId}: nothing was deleted` },
    });
    expect(await listOperationsOf(api.database, tenant.tenantId)).toHaveLength(1);
  });

  it("accepts the deprovisioning of an active tenant, with its last operation's blueprint", async () => {
    const tenant = await active();
    const answer = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    expect([answer.code, answer.body.workflowId]).toEqual([202, tenant.workflowId]);
    const { rows } = await api.database.query(
      'select count(distinct blueprint)::int as n, count(*)::int as operations from operations where tenant_id = $1',
      [tenant.tenantId],
    );
    expect(rows[0]).toEqual({ n: 1, operations: 2 });
    expect(api.orchestrator.open.get(tenant.workflowId)).toMatchObject({
      operationId: answer.body.operationId,
      type: 'deprovision',
    });
    const again = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    expect([again.code, again.error]).toEqual([409, 'OPERATION_IN_PROGRESS']);
  });

  it('is accepted once when it comes twice at a time', async () => {
    const tenant = await active();
    const path = `${tenant.tenantId}?confirm=${tenant.slug}`;
    const answers = await Promise.all([send('DELETE', path), send('DELETE', path)]);
    expect(answers.map((a) => a.code).sort()).toEqual([202, 409]);
    expect(answers.find((a) => a.code === 409)?.error).toBe('OPERATION_IN_PROGRESS');
  });

  it('leaves the tenant as it was when Temporal does not take it', async () => {
    const tenant = await active();
    api.orchestrator.startFault = 'before';
    expect((await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).error).toBe('ORCHESTRATOR_UNAVAILABLE');
    expect((await send('GET', tenant.tenantId)).body.status).toBe('active');
    api.orchestrator.startFault = undefined;
    expect((await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).code).toBe(202);
  });

  it('supersedes a stuck operation, closes its run and starts the new one', async () => {
    const tenant = await stuck();
    const answer = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    expect(answer.code).toBe(202);
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('superseded');
    expect(api.orchestrator.closed.get(tenant.operationId)).toBe('superseded');
    expect(api.orchestrator.open.get(tenant.workflowId)?.operationId).toBe(answer.body.operationId);
    const operations = await api.app.inject(`/api/v1/tenants/${tenant.tenantId}/operations`);
    expect(operations.json<{ operations: { state: string }[] }>().operations.map((o) => o.state)).toEqual([
      'accepted',
      'superseded',
    ]);
  });

  it('changes nothing of a stuck operation while Temporal cannot be reached', async () => {
    const tenant = await stuck();
    api.orchestrator.unreachable = true;
    expect((await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).error).toBe('ORCHESTRATOR_UNAVAILABLE');
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('stuck');
  });

  it('is refused while another operation runs', async () => {
    for (const tenant of [await created(), await claimed()]) {
      const answer = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
      expect([answer.code, answer.error]).toEqual([409, 'OPERATION_IN_PROGRESS']);
    }
  });

  it('deletes a failed tenant directly when nothing is left of it, and once only', async () => {
    const tenant = await claimed();
    await api.move(tenant.tenantId, ['rolling-back', 'rolled-back'], ['creating', 'failed']);
    const answer = await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`);
    expect([answer.code, answer.body.status]).toEqual([200, 'deleted']);
    expect(await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).toMatchObject({
      code: 409,
      error: 'TENANT_NOT_DELETABLE',
    });
  });

  it('deprovisions a failed tenant of which the ledger still holds something', async () => {
    const tenant = await claimed();
    await intend(tenant);
    await api.move(tenant.tenantId, ['rolling-back', 'stuck', 'abandoned'], ['creating', 'failed']);
    api.orchestrator.end(tenant.workflowId);
    expect((await send('DELETE', `${tenant.tenantId}?confirm=${tenant.slug}`)).code).toBe(202);
  });
});

describe('retry, cancel and DELETE', () => {
  it('take no body: fields are refused, not ignored', async () => {
    const tenant = await created();
    for (const [method, path] of [
      ['POST', '/retry'],
      ['POST', '/cancel'],
      ['DELETE', `?confirm=${tenant.slug}`],
    ] as const) {
      const url = `/api/v1/tenants/${tenant.tenantId}${path}`;
      const answer = await api.app.inject({ method, url, payload: { force: true } });
      expect([path, answer.statusCode]).toEqual([path, 400]);
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      if (method === 'POST') expect((await api.app.inject({ method, url, headers: form })).statusCode).toBe(415);
    }
    expect((await findOperation(api.database, tenant.operationId))?.state).toBe('accepted');
  });
});

describe('reading', () => {
  it('answers the status from steps, operation and tenant', async () => {
    const tenant = await claimed();
    await intend(tenant);
    const { body } = await send('GET', `${tenant.tenantId}/status`);
    expect(body).toMatchObject({
      tenantId: tenant.tenantId,
      status: 'validating',
      operation: { operationId: tenant.operationId, type: 'provision', state: 'running' },
      currentStep: 'create_schema',
      currentSteps: ['create_schema'],
      stepsDone: [],
      stepsTotal: 14,
      cleanupPending: false,
      tenantUrl: `https://${tenant.slug}.moamalat-pro.com`,
    });
  });

  it('tells of a removal that is tried again why its last attempt failed, and of a failed making nothing', async () => {
    const tenant = await claimed();
    const { tenantId, operationId } = tenant;
    await intend(tenant);
    const making = { code: 'SERVICE_FAILED', message: 'it exits' };
    await api.database.query('update steps set failure = $2 where tenant_id = $1', [tenantId, making]);
    await api.move(tenantId, ['rolling-back'], ['creating', 'failed']);
    await api.database.query(`update steps set state = 'removing' where tenant_id = $1`, [tenantId]);
    expect((await send('GET', `${tenantId}/status`)).body).not.toHaveProperty('retrying');

    const step = { stepId: 'create_schema', kind: 'postgres-schema', generation: 1 } as const;
    const failure = { code: 'CONFLICT_RETRYABLE', message: 'the schema is in use' };
    const key = { ...step, tenantId, operationId, cell: 'default' };
    await recordRemovalFailure(api.database, key, failure, false);
    expect((await send('GET', `${tenantId}/status`)).body).toMatchObject({
      currentSteps: ['create_schema'],
      retrying: [{ stepId: 'create_schema', failure }],
    });
  });

  it('pages through tenants, newest first, and filters them', async () => {
    const made = [await created(), await created(), await created()].map((t) => t.tenantId).reverse();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '?limit=2' : `?limit=2&cursor=${cursor}`;
      const page = (await api.app.inject(`/api/v1/tenants${query}`)).json<{
        tenants: Accepted[];
        nextCursor: string | null;
      }>();
      seen.push(...page.tenants.map((t) => t.tenantId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.slice(0, 3)).toEqual(made);
    expect(new Set(seen).size).toBe(seen.length);
    const deleted = (await api.app.inject('/api/v1/tenants?status=deleted&product=moamalat')).json<{
      tenants: Accepted[];
    }>();
    expect(deleted.tenants.every((t) => t.status === 'deleted')).toBe(true);
    expect((await api.app.inject('/api/v1/tenants?product=none')).json()).toEqual({ tenants: [], nextCursor: null });
  });

  it('leaves out of the list what is gone, unless it is asked for', async () => {
    const [living, left, rolledBack, gone] = [await active(), await stuck(), await claimed(), await created()];
    await api.move(rolledBack.tenantId, ['rolling-back', 'rolled-back'], ['failed']);
    await api.database.query('update tenants set cleanup_pending = true where id = $1', [left.tenantId]);
    await send('POST', `${gone.tenantId}/cancel`);
    const listed = async (query: string) => {
      const page = (await api.app.inject(`/api/v1/tenants?limit=200&${query}`)).json<{ tenants: Accepted[] }>();
      const made = [living, left, rolledBack, gone].map((t) => t.tenantId);
      return made.map((id) => page.tenants.some((t) => t.tenantId === id));
    };
    expect(await listed('')).toEqual([true, true, false, false]);
    expect(await listed('includeGone=false')).toEqual([true, true, false, false]);
    expect(await listed('includeGone=true')).toEqual([true, true, true, true]);
    expect(await listed('status=deleted')).toEqual([false, false, false, true]);
    expect(await listed('status=failed')).toEqual([false, true, true, false]);
    expect(await listed('status=failed&includeGone=false')).toEqual([false, true, false, false]);
    expect(await listed(`slug=${gone.slug}`)).toEqual([false, false, false, true]);
    expect(await listed(`slug=${gone.slug}&includeGone=false`)).toEqual([false, false, false, false]);
    const pages = await api.client.list(testCaller, { limit: 1 });
    expect([pages.tenants.map((t) => t.tenantId), pages.nextCursor]).toEqual([[left.tenantId], anyString]);
  });

  it('lists the tenant that holds a slug before those that had it earlier', async () => {
    const first = await claimed();
    await api.move(first.tenantId, ['rolling-back', 'cancelled'], ['failed']);
    await releaseSlug(api.database, { product: 'moamalat', slug: first.slug, tenantId: first.tenantId });
    await api.database.query('delete from allocations where tenant_id = $1', [first.tenantId]);
    api.orchestrator.end(first.workflowId);
    const again = await api.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: first.slug },
    });
    const holder = again.json<Accepted>().tenantId;
    const ids = async (query: string) =>
      (await api.app.inject(`/api/v1/tenants?${query}`)).json<{ tenants: Accepted[] }>().tenants.map((t) => t.tenantId);
    expect(await ids(`slug=${first.slug}`)).toEqual([holder, first.tenantId]);
    expect(await ids(`slug=${first.slug}&includeGone=false`)).toEqual([holder]);
  });

  it('says of a tenant whose creation was cancelled that this was no fault', async () => {
    const [cancelled, failed] = [await claimed(), await claimed()];
    await api.move(cancelled.tenantId, ['rolling-back', 'cancelled'], ['failed']);
    await api.move(failed.tenantId, ['rolling-back', 'rolled-back'], ['failed']);
    const outcomes = async ({ tenantId, slug }: Accepted & { slug: string }) => {
      const page = (await api.app.inject(`/api/v1/tenants?slug=${slug}`)).json<{ tenants: { outcome: object }[] }>();
      const of = (answer: unknown) => (answer as { outcome: object }).outcome;
      return [
        of((await send('GET', tenantId)).body),
        of((await send('GET', `${tenantId}/status`)).body),
        of(page.tenants[0]!),
      ];
    };
    const message = 'the creation was cancelled on request and rolled back, which is no fault; nothing is left';
    for (const outcome of await outcomes(cancelled))
      expect(outcome).toEqual({ operationId: cancelled.operationId, type: 'provision', state: 'cancelled', message });
    for (const outcome of await outcomes(failed))
      expect(outcome).toMatchObject({ state: 'rolled-back', message: containing('the creation failed') });
    for (const outcome of await outcomes(await claimed())) expect(outcome).toBeNull();
  });

  it.each(['limit=0', 'limit=201', 'limit=1&limit=2', 'limit=x', 'status=gone', 'cursor=abc', 'color=red'])(
    'refuses the list parameters %s',
    async (query) => {
      const answer = await api.app.inject(`/api/v1/tenants?${query}`);
      expect([answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([
        400,
        'INVALID_INPUT',
      ]);
    },
  );

  it('answers 404 for what does not exist, on every route of a tenant', async () => {
    const id = randomUUID();
    for (const path of ['', '/status', '/events', '/operations', `/operations/${id}`]) {
      expect(await send('GET', `${id}${path}`)).toMatchObject({ code: 404, error: 'TENANT_NOT_FOUND' });
    }
    for (const verb of ['retry', 'cancel'])
      expect((await send('POST', `${id}/${verb}`)).error).toBe('TENANT_NOT_FOUND');
    expect((await send('DELETE', `${id}?confirm=x`)).error).toBe('TENANT_NOT_FOUND');
    expect((await send('GET', 'no-uuid')).error).toBe('TENANT_NOT_FOUND');
    expect((await send('GET', 'no_name')).error).toBe('INVALID_INPUT');
  });

  it("answers OPERATION_NOT_FOUND for another tenant's operation", async () => {
    const [one, other] = [await created(), await created()];
    expect((await send('GET', `${one.tenantId}/operations/${one.operationId}`)).body).toMatchObject({
      state: 'accepted',
      type: 'provision',
    });
    expect(await send('GET', `${one.tenantId}/operations/${other.operationId}`)).toMatchObject({
      code: 404,
      error: 'OPERATION_NOT_FOUND',
    });
  });
});
