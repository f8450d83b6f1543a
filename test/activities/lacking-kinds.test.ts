import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentFailure } from '../../src/client/attention.ts';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findOperation } from '../../src/db/operations.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import { accept, cell, seedTenant, setRunning, smallSteps, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

const without = builtInKinds.filter(({ name }) => name !== 'log-group');
const stricter = builtInKinds.map((kind) =>
  kind.name === 'log-group' ? { ...kind, spec: z.strictObject({ owner: z.string() }) } : kind,
);

let tenant: Seeded;
let lines: { alert?: string; code?: string; left?: string[] }[];
let fake: FakeKind;
beforeEach(async () => {
  tenant = await seedTenant(db);
  lines = [];
  fake = new FakeKind();
});

const worker = (own: readonly Kind[] = builtInKinds) =>
  activityBench(
    db,
    fake,
    pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }),
    own,
  );
const claimBy = (own: readonly Kind[], operationId = tenant.operationId) =>
  worker(own)('claimOperation', { operationId, workflowId: `tenant.moamalat.${tenant.slug}`, runId: 'run-1' });
const step = (operationId = tenant.operationId) => ({ operationId, stepId: 'logs', generation: 1 });
const slowReasons = async () =>
  (await listEvents(db, tenant.tenantId)).filter((e) => e.type === 'operation.slow').map((e) => e.data['reason']);

/** The tenant's step is made and it is active; its deprovisioning is accepted. */
const deprovisioning = async (blueprint?: unknown) => {
  await setRunning(db, tenant);
  await worker()('log-group.ensure', step());
  await db.query(`update operations set state = 'succeeded', closed_at = now() where id = $1`, [tenant.operationId]);
  await db.query(`update tenants set status = 'active', activated_at = now() where id = $1`, [tenant.tenantId]);
  const steps = smallSteps(tenant.slug);
  return accept(db, {
    ...tenant,
    type: 'deprovision',
    blueprint: blueprint ?? { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps },
  });
};

describe('a claim by a worker that does not know the kinds of the operation', () => {
  const refused = { type: 'WORKER_LACKS_KIND', nonRetryable: false };

  it.each([
    ['lacks a kind', without],
    ['has a stricter spec for one', stricter],
  ])('leaves a provisioning accepted when it %s, says so, and another worker begins it', async (_, own) => {
    for (const attempt of [1, 2]) await expect(claimBy(own), `attempt ${attempt}`).rejects.toMatchObject(refused);
    const waiting = await findOperation(db, tenant.operationId);
    expect(waiting).toMatchObject({ state: 'accepted', runId: null, failure: { code: 'WORKER_LACKS_KIND' } });
    expect(waiting && currentFailure({ failure: null }, waiting)?.detail).toContain('logs');
    expect(await slowReasons()).toEqual([expect.stringMatching(/^WORKER_LACKS_KIND: .*logs/)]);
    expect(lines.filter(({ alert }) => alert === 'operation-slow')).toHaveLength(1);
    expect(await claimBy(builtInKinds)).toMatchObject({ claimed: true });
    expect(await findOperation(db, tenant.operationId)).toMatchObject({ state: 'running', failure: null });
  });

  it('leaves a deprovisioning accepted and its tenant active', async () => {
    const operationId = await deprovisioning();
    await expect(claimBy(without, operationId)).rejects.toMatchObject(refused);
    expect((await findOperation(db, operationId))?.state).toBe('accepted');
    expect((await findTenant(db, tenant.tenantId))?.status).toBe('active');
    expect(await claimBy(builtInKinds, operationId)).toMatchObject({ claimed: true, tenantStatus: 'deleting' });
  });

  it.each([{ version: 2 }, { region: 'eu-central-1' }])(
    'leaves an operation accepted that a later release wrote: %j',
    async (more) => {
      await db.query('update operations set blueprint = blueprint || $2 where id = $1', [tenant.operationId, more]);
      await expect(claimBy(builtInKinds)).rejects.toMatchObject(refused);
      expect((await findOperation(db, tenant.operationId))?.state).toBe('accepted');
    },
  );
});

describe('a deprovisioning whose blueprint nobody can run', () => {
  it('is stuck with what is left and an alert, and is never abandoned', async () => {
    const steps = smallSteps(tenant.slug).map((one) => ({ ...one, needs: ['nobody'] }));
    const operationId = await deprovisioning({ version: 1, product: 'moamalat', tier: null, cell: cell.id, steps });
    expect(await claimBy(builtInKinds, operationId)).toEqual({ claimed: false });
    expect(await findOperation(db, operationId)).toMatchObject({
      state: 'stuck',
      closedAt: null,
      failure: { code: 'BLUEPRINT_INVALID' },
      leftovers: [{ stepId: 'logs', type: 'logs:log-group' }],
    });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ status: 'deleting', cleanupPending: true });
    const name = `logs:log-group /ecs/moamalat-${tenant.slug}-backend`;
    expect(lines.filter(({ alert }) => alert === 'operation-stuck')).toMatchObject([
      { left: [expect.stringContaining(name)] },
    ]);
  });

  it('goes on by a retry once the blueprint can be run', async () => {
    const operationId = await deprovisioning({});
    await claimBy(builtInKinds, operationId);
    const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps(tenant.slug) };
    await db.query('update operations set blueprint = $2 where id = $1', [operationId, blueprint]);
    const workflowId = `tenant.moamalat.${tenant.slug}`;
    const claim = { operationId, workflowId, runId: 'run-2', takesOver: 'run-1' };
    expect(await worker()('claimOperation', claim)).toMatchObject({ claimed: true, steps: [{ id: 'logs' }] });
  });
});

describe('a verb that a worker cannot carry out', () => {
  it('fails so that it is tried again without end where the kind is not known, and says so once', async () => {
    await setRunning(db, tenant);
    for (const verb of ['ensure', 'ensure', 'remove'] as const)
      await expect(worker(without)(`log-group.${verb}`, step())).rejects.toMatchObject({
        type: 'WORKER_LACKS_KIND',
        nonRetryable: false,
      });
    expect(await slowReasons()).toHaveLength(1);
  });

  it('fails so too where the spec is not one that the kind makes anything by', async () => {
    await setRunning(db, tenant);
    const ensured = worker(stricter)('log-group.ensure', step());
    await expect(ensured).rejects.toMatchObject({ type: 'WORKER_LACKS_KIND', nonRetryable: false });
    expect(fake.calls).toEqual([]);
    const observed = worker(without)('confirmReady', { ...step(), stepIds: ['logs'] });
    await expect(observed).rejects.toMatchObject({ type: 'WORKER_LACKS_KIND', nonRetryable: false });
  });
});

describe('a removal by a kind whose spec of today is stricter', () => {
  const removing = async (state: OperationState = 'rolling-back') => {
    await setRunning(db, tenant);
    await worker()('log-group.ensure', step());
    await db.query('update operations set state = $2 where id = $1', [tenant.operationId, state]);
  };

  it('goes by the names that the ledger has', async () => {
    await removing();
    expect(await worker(stricter)('log-group.remove', step())).toMatchObject({ status: 'removed' });
    expect(fake.made.size).toBe(0);
  });

  it('of a deprovisioning is planned, and goes by the names of the ledger too', async () => {
    const operationId = await deprovisioning();
    expect(await claimBy(stricter, operationId)).toMatchObject({ claimed: true });
    expect(await worker(stricter)('log-group.remove', step(operationId))).toMatchObject({ status: 'removed' });
  });

  it('removes nothing when what is stored gives other names, and says what it does not find', async () => {
    await removing();
    fake.resources = () => [{ type: 'logs:log-group', name: 'another' }];
    await expect(worker(stricter)('log-group.remove', step())).rejects.toMatchObject({ type: 'SPEC_UNREADABLE' });
    expect(fake.made.size).toBe(1);
    expect(await worker()('listLeftovers', { operationId: tenant.operationId })).toMatchObject([
      { stepId: 'logs', code: 'SPEC_UNREADABLE' },
    ]);
  });
});
