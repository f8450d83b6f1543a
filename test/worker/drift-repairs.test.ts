import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { RequestError } from '../../src/client/request-error.ts';
import type { DriftFinding, UnseenStep } from '../../src/contracts/drift.ts';
import type { TenantStatus } from '../../src/contracts/tenant-status.ts';
import { findMoment, recordLook } from '../../src/db/drift.ts';
import { listDriftBreakers, resumeDriftRepairs } from '../../src/db/drift-repairs.ts';
import { listFreezes } from '../../src/db/freezes.ts';
import { listOperationsOf } from '../../src/db/operations.ts';
import { repairDrift, type DriftRepairDeps } from '../../src/worker/drift-repairs.ts';
import { acme, createApiFixture, type ApiFixture } from '../api/api-fixture.ts';
import { testCaller as caller } from '../support/caller.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';

// All tenants of the file fit into it.
const loadBalancers = ['one', 'two', 'three', 'four'].flatMap((name) =>
  exampleCell().loadBalancers.map((one) => ({
    ...one,
    arn: `${one.arn}${name}`,
    httpsListenerArn: one.httpsListenerArn.replace(/[^/]+$/, name),
  })),
);
const platform = examplePlatform({ loadBalancers });
const cell = platform.cells[0]!.id;
let api: ApiFixture;
let alerts: object[] = [];
let warnings: object[] = [];
beforeAll(async () => {
  api = await createApiFixture({ platform });
});
afterAll(() => api.close());
afterEach(async () => {
  for (const { id } of await listFreezes(api.database)) await api.client.lift(caller, id);
  await api.database.query(`update operations set state = 'succeeded', closed_at = now() where closed_at is null`);
  await api.database.query(`update operations set accepted_at = now() - interval '2 days'`);
  await api.database.query('delete from drift_findings; delete from drift_looks; delete from drift_breakers');
  [alerts, warnings] = [[], []];
});

const field: DriftFinding = {
  ...{ stepId: 'create_log_group:backend', is: 'changed', field: 'retentionDays', wanted: 30, found: 1 },
  ...{ remedy: 'repair', source: 'look' },
};
const unseen: UnseenStep = { stepId: field.stepId, code: 'THROTTLED', message: 'no answer came' };

const round = (deps: Partial<DriftRepairDeps> = {}) =>
  repairDrift({
    ...{ database: api.database, client: api.client, catalog: defaultCatalog, platform, policy: 'automatic' },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (line: object) => void warnings.push(line),
      error: (line: object) => void alerts.push(line),
    },
    ...deps,
  });

let counter = 0;
async function active(): Promise<string> {
  const { tenantId, workflowId } = await api.client.createTenant(caller, { ...acme, slug: `apart-${(counter += 1)}` });
  await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(workflowId);
  return tenantId;
}
async function look(tenantId: string, findings: readonly DriftFinding[], notSeen: readonly UnseenStep[] = []) {
  const moment = await findMoment(api.database, tenantId);
  return recordLook(api.database, { moment: moment!, findings, unseen: notSeen, isSwept: true }, caller);
}
async function drifting(...findings: Partial<DriftFinding>[]): Promise<string> {
  const tenantId = await active();
  await look(
    tenantId,
    (findings.length > 0 ? findings : [{}]).map((changed) => ({ ...field, ...changed })),
  );
  return tenantId;
}
async function several<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let n = 0; n < count; n += 1) made.push(await make());
  return made;
}
async function repaired(tenantIds: readonly string[]): Promise<boolean[]> {
  const operations = await Promise.all(tenantIds.map((id) => listOperationsOf(api.database, id)));
  return operations.map(([newest]) => newest!.type === 'repair' && newest!.caller?.role === 'system');
}
const set = (tenantId: string, columns: string) =>
  api.database.query(
    `update operations set ${columns} where id =
       (select id from operations where tenant_id = $1 order by accepted_at desc, id limit 1)`,
    [tenantId],
  );
async function statuses(tenantId: string, ...through: TenantStatus[]): Promise<void> {
  for (const status of through)
    await api.database.query('update tenants set status = $2 where id = $1', [tenantId, status]);
}
const stopped = async () => (await listDriftBreakers(api.database)).filter(({ stoppedAt }) => stoppedAt !== null);

it('what looks saw, and where automatic repair is stopped, are figures for Prometheus', async () => {
  const figures = async () =>
    (await api.app.inject('/metrics')).body.split('\n').filter((line) => line.startsWith('tenantry_drift_'));
  const none = [
    ...['missing', 'changed', 'extra'].map((is) => `tenantry_drift_findings{is="${is}"} 0`),
    ...['none', 'drift', 'unknown'].map((outcome) => `tenantry_drift_tenants{outcome="${outcome}"} 0`),
  ];
  expect(await figures()).toEqual(none);
  await several(3, () => drifting({}, { is: 'missing', field: 'logs:log-group x' }));
  await look(await active(), [], [unseen]);
  await round();
  expect(await figures()).toEqual([
    ...[3, 3, 0].map((count, i) => none[i]!.replace(/0$/, String(count))),
    ...[0, 3, 1].map((count, i) => none[3 + i]!.replace(/0$/, String(count))),
    `tenantry_drift_repair_stopped{cell="${cell}"} 1`,
  ]);
});

describe('automatic repair', () => {
  it('is begun where the product or the installation says so, and nowhere else', async () => {
    const tenants = [await drifting()];
    await round({ policy: undefined });
    await round({ policy: 'approval' });
    expect(await repaired(tenants)).toEqual([false]);
    const moamalat = { ...defaultCatalog.products['moamalat']!, driftRepair: 'automatic' as const };
    await round({ policy: undefined, catalog: { products: { moamalat } } });
    expect(await repaired(tenants)).toEqual([true]);
  });

  it('begins for two tenants of a cell, oldest drift first, and for the next once one has ended', async () => {
    await several(12, async () => look(await active(), []));
    const tenants = await several(3, () => drifting());
    await api.database.query(
      `update drift_findings set first_seen_at = now() - make_interval(mins => array_position($1::uuid[], tenant_id))`,
      [tenants],
    );
    await round();
    await round();
    expect(await repaired(tenants)).toEqual([false, true, true]);
    await set(tenants[2]!, `state = 'succeeded', closed_at = now()`);
    await round();
    expect(await repaired(tenants)).toEqual([true, true, true]);
    expect([alerts, warnings]).toEqual([[], []]);
  });

  it.each<[string, Partial<DriftFinding>[]]>([
    ['only a refresh brings back', [{ remedy: 'refresh' }]],
    ['only a person may put back', [{ remedy: 'hand' }]],
    ['a person has to look at, beside what a repair brings back', [{}, { field: 'ownership', remedy: 'hand' }]],
  ])('leaves a tenant alone with something that %s', async (_, findings) => {
    const tenants = [await drifting(...findings)];
    await round();
    expect(await repaired(tenants)).toEqual([false]);
  });

  it.each<[string, (tenantId: string) => Promise<unknown>]>([
    ['is suspended', (tenantId) => statuses(tenantId, 'suspending', 'suspended')],
    ['has an open operation', (tenantId) => set(tenantId, `state = 'stuck', closed_at = null`)],
    ['was changed since the look', (tenantId) => set(tenantId, `accepted_at = now()`)],
  ])('leaves a tenant alone that %s', async (_, change) => {
    const tenants = [await drifting()];
    await change(tenants[0]!);
    await round();
    expect(await repaired(tenants)).toEqual([false]);
    expect([alerts, warnings]).toEqual([[], []]);
  });

  it('waits until nothing is at work in the cell that people asked for', async () => {
    const tenants = [await drifting()];
    const other = await active();
    await set(other, `state = 'running', closed_at = null`);
    await round();
    expect(await repaired(tenants)).toEqual([false]);
    await set(other, `committed_at = null, grace_until = now() + interval '7 days'`);
    await round();
    expect(await repaired(tenants)).toEqual([true]);
  });

  it('does not wait for an operation that is stuck until a person comes', async () => {
    const tenants = [await drifting()];
    await set(await active(), `state = 'stuck', closed_at = null`);
    await round();
    expect(await repaired(tenants)).toEqual([true]);
  });
});

describe('automatic repair of what is frozen', () => {
  it.each([{ product: 'moamalat' }, { cell }])(
    'with %j waits, says nothing, and begins once that is lifted',
    async (scope) => {
      const tenants = [await drifting()];
      const { freezeId } = await api.client.freeze(caller, { ...scope, reason: 'database upgrade' });
      await round();
      await round();
      expect(await repaired(tenants)).toEqual([false]);
      await api.client.lift(caller, freezeId);
      await round();
      expect(await repaired(tenants)).toEqual([true]);
      expect([alerts, warnings]).toEqual([[], []]);
    },
  );

  it('takes the next tenant when one is refused that was frozen after it was listed', async () => {
    const tenants = await several(2, () => drifting());
    const freezeFirst: DriftRepairDeps['client']['repairTenant'] = async (by, tenantId, input) => {
      if (tenantId !== tenants[0]) return api.client.repairTenant(by, tenantId, input);
      const { freezeId } = await api.client.freeze(caller, { cell, reason: 'database upgrade' });
      return api.client.repairTenant(by, tenantId, input).finally(() => api.client.lift(caller, freezeId));
    };
    await api.database.query(
      `update drift_findings set first_seen_at = now() - interval '1 day' where tenant_id = $1`,
      [tenants[0]],
    );
    await round({ client: { repairTenant: freezeFirst } });
    expect(await repaired(tenants)).toEqual([false, true]);
    expect([alerts, warnings]).toEqual([[], []]);
    await round();
    expect(await repaired(tenants)).toEqual([true, true]);
  });

  it('begins no other one in a round in which the orchestrator takes none', async () => {
    await several(2, () => drifting());
    let asked = 0;
    const repairTenant = () => {
      asked += 1;
      return Promise.reject(new RequestError('ORCHESTRATOR_UNAVAILABLE', 'Temporal does not answer'));
    };
    await round({ client: { repairTenant } });
    expect([asked, warnings.length]).toEqual([1, 1]);
  });
});

describe('the breaker', () => {
  it('stops a cell in which more than a fifth of the tenants drift, tells it once, and only what comes after resume counts', async () => {
    const tenants = await several(3, () => drifting());
    await round();
    await round();
    expect(alerts).toMatchObject([{ alert: 'drift-breaker', cell, why: expect.stringContaining('3 of 3') as string }]);
    expect(await stopped()).toMatchObject([{ cell }]);
    expect(await repaired(tenants)).toEqual([false, false, false]);
    expect(await resumeDriftRepairs(api.database, cell, caller)).toBe(true);
    await round();
    expect((await repaired(tenants)).filter(Boolean)).toHaveLength(2);
    expect(await stopped()).toEqual([]);
  });

  it('counts a tenant neither as drifting nor as whole that its last look could not see', async () => {
    const tenants = await several(3, () => drifting());
    await look(tenants[2]!, [], [unseen]);
    await round();
    expect([await stopped(), alerts]).toEqual([[], []]);
    expect(await repaired(tenants)).toEqual([true, true, false]);
    await several(12, async () => look(await active(), [], [unseen]));
    await look(tenants[2]!, [field]);
    await round();
    expect(alerts).toMatchObject([{ why: expect.stringContaining('3 of 3') as string }]);
  });

  it('does not repair a tenant by what only an earlier look saw, or when a step was not seen', async () => {
    const [stale, partly] = [await drifting(), await drifting()];
    await look(stale, [], [unseen]);
    await look(partly, [field], [{ ...unseen, stepId: 'create_dns' }]);
    await round();
    expect(await repaired([stale, partly])).toEqual([false, false]);
  });

  it('stops after two repairs that failed or whose drift came back, and counts none that could not be started', async () => {
    const tenants = await several(2, () => drifting());
    await round();
    expect(await repaired(tenants)).toEqual([true, true]);
    for (const tenantId of tenants) await set(tenantId, `state = 'withdrawn', closed_at = now()`);
    await round();
    expect(await stopped()).toEqual([]);
    await set(tenants[0]!, `state = 'stuck', closed_at = null`);
    await set(tenants[1]!, `state = 'succeeded', closed_at = now()`);
    await round();
    expect(await stopped()).toEqual([]);
    await look(tenants[1]!, [field]);
    await round();
    expect(alerts).toMatchObject([{ alert: 'drift-breaker', why: expect.stringContaining('2 of the last') as string }]);
  });
});
