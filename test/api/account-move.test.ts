import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';
import { containing } from './matchers.ts';
import { acmeAccount, SHARED_TABLE, withAccounts } from './accounts-fixture.ts';

const switchedOff: Record<string, string> = {};
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({ ...withAccounts, switchedOff });
});
afterAll(() => api.close());
afterEach(() => {
  delete switchedOff.accounts;
});

interface Account {
  readonly id: string;
  readonly operationId: string;
}

async function active(cloudType = 'public'): Promise<Account> {
  const payload = { ...acmeAccount, cloudType };
  const answer = await api.app.inject({ method: 'POST', url: '/accounts?wait=false', payload });
  const account = answer.json<Account>();
  await api.orchestrator.claim(account.operationId);
  await api.move(account.id, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(`tenant.accounts.${account.id}`);
  return account;
}

/** As a run leaves them that has made all steps of the newest operation. */
async function holdSteps(id: string): Promise<void> {
  await api.database.query(
    `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation)
     select o.tenant_id, step ->> 'id', o.cell, step ->> 'kind', o.id, 'ready', 1
     from (select * from operations where tenant_id = $1 order by accepted_at desc limit 1) o
     cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step
     on conflict (tenant_id, step_id) do nothing`,
    [id],
  );
}

const move = (id: string, { query = '', body }: { readonly query?: string; readonly body?: object } = {}) =>
  api.app.inject({ method: 'POST', url: `/accounts/${id}/move${query}`, ...(body && { payload: body }) });

type Answer = Awaited<ReturnType<typeof move>>;
const refusal = (answer: Answer) => [answer.statusCode, answer.json<{ error: { readonly code: string } }>().error.code];

describe('POST /accounts/{id}/move', () => {
  it('is the change of tier to private, once', async () => {
    const { id } = await active();
    const answer = await move(id, { body: { reason: 'it grew' } });
    expect([answer.statusCode, answer.headers.location]).toEqual([202, `/accounts/${id}`]);
    expect(answer.json()).toMatchObject({ id, cloudType: 'public', statusUrl: `/accounts/${id}/status` });
    const status = await api.app.inject(`/accounts/${id}/status`);
    expect(status.json()).toMatchObject({
      operation: { operationId: answer.json<Account>().operationId, type: 'migrate' },
    });
    expect(refusal(await move(id))).toEqual([409, 'OPERATION_IN_PROGRESS']);
  });

  it('says what it would do, and does nothing of it', async () => {
    const { id } = await active();
    const preview = (await move(id, { query: '?dryRun=true' })).json<{
      readonly steps: readonly { readonly stepId: string; readonly transient?: boolean; readonly fields: object[] }[];
    }>();
    expect(JSON.stringify(preview)).not.toContain('"ref"');
    expect(preview.steps.flatMap(({ fields }) => fields)).toContainEqual({
      ...{ field: 'values.table-name', from: SHARED_TABLE, to: '(TableName of create_stack)' },
    });
    const onTheWay = preview.steps.filter(({ transient }) => transient === true).map(({ stepId }) => stepId);
    expect(onTheWay).toEqual(expect.arrayContaining(['fence', 'announce_move', 'copy_rows', 'close_fence']));
    expect((await move(id)).statusCode).toBe(202);
  });

  it('loses no data, forward or back, as its preview says; a deletion does', async () => {
    const [{ id }, created] = [await active(), await active()];
    await holdSteps(id);
    const losing = async (method: 'POST' | 'DELETE', path: string) => {
      const answer = await api.app.inject({ method, url: `/accounts/${id}${path}?dryRun=true` });
      const { steps } = answer.json<{ steps: { stepId: string; becomes: string; dropsData: boolean }[] }>();
      const dropped = steps.filter(({ becomes }) => becomes === 'drop').map(({ stepId }) => stepId);
      return { dropped, lost: steps.filter(({ dropsData }) => dropsData).map(({ stepId }) => stepId) };
    };
    expect(await losing('POST', '/move')).toEqual({ dropped: ['rows'], lost: [] });
    expect((await losing('DELETE', '')).lost).toEqual(['rows']);
    const { operationId } = (await move(id)).json<Account>();
    await api.orchestrator.claim(operationId);
    await holdSteps(id);
    const back = await losing('POST', '/cancel');
    expect(back.dropped).toContain('create_stack');
    expect(back.lost).toEqual([]);
    await api.database.query('update tenants set activated_at = null where id = $1', [created.id]);
    const never = await api.app.inject({ method: 'DELETE', url: `/accounts/${created.id}?dryRun=true` });
    expect(never.json<{ steps: { dropsData: boolean }[] }>().steps.some(({ dropsData }) => dropsData)).toBe(false);
  });

  it('tells by its status why it failed, of an account that serves as before', async () => {
    const { id } = await active();
    const { operationId } = (await move(id)).json<Account>();
    await api.orchestrator.claim(operationId);
    const failure = { code: 'STEP_FAILED', message: 'the stack failed', stepId: 'create_stack' };
    await api.database.query('update operations set failure = $2 where id = $1', [operationId, failure]);
    await api.move(id, ['rolling-back', 'rolled-back'], ['active']);
    api.orchestrator.end(`tenant.accounts.${id}`);
    const status = (await api.app.inject(`/accounts/${id}/status`)).json<object>();
    expect(status).toMatchObject({ provisioningStatus: 'active', error: failure });
    expect(status).not.toHaveProperty('provisioningError');
  });

  it('is refused of a private account, of none, where it is switched off, and with another field', async () => {
    const [own, { id }] = [await active('private'), await active()];
    const refused = await move(own.id);
    expect(refusal(refused)).toEqual([422, 'CHANGE_NOT_POSSIBLE']);
    expect(refused.json()).toMatchObject({
      error: { message: containing('its cloud type is private already'), details: { cloudType: 'private' } },
    });
    expect(refused.body).not.toMatch(/\btier/);
    expect(refusal(await move(randomUUID()))).toEqual([404, 'TENANT_NOT_FOUND']);
    expect(refusal(await move(id, { body: { tier: 'public' } }))).toEqual([400, 'INVALID_INPUT']);
    switchedOff.accounts = 'TENANTRY_ENABLE_ACCOUNT_PROVISIONING';
    for (const query of ['', '?dryRun=true'])
      expect(refusal(await move(id, { query }))).toEqual([403, 'FEATURE_DISABLED']);
  });
});
