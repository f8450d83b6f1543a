import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Preview {
  tenantId: string | null;
  operation: string | null;
  steps: { stepId: string; becomes: string; calls: string[]; dropsData: boolean }[];
  expected: { medianMs: number } | null;
  room: { rules: { leftBefore: number; leftAfter: number } } | null;
  error: { code: string };
}
async function send(method: 'POST' | 'DELETE', url: string, payload?: object) {
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
