import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { driftDetails } from '../../src/client/drift.ts';
import type { Database } from '../../src/db/database.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import { createDrift, type Drift } from '../../src/drift/drift.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import { accept, cell, platform, seedTenant, smallSteps, type Seeded } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { useControlDatabase } from '../support/database.ts';
import { installationId } from './bench.ts';

const HOUR_MS = 3_600_000;
let db: Database;
useControlDatabase((opened) => (db = opened));

/** Slugs whose log group has another retention. */
const changed = new Set<string>();
let drift: Drift;
beforeEach(() => {
  changed.clear();
  const kinds = builtInKinds.map((kind) =>
    kind.commit
      ? kind
      : {
          ...kind,
          differs: ({ tenant }: { tenant: { slug: string } }) =>
            Promise.resolve(
              changed.has(tenant.slug) ? [{ is: 'changed' as const, field: 'retention', wanted: 30, found: 7 }] : [],
            ),
        },
  );
  drift = createDrift({
    ...{ database: db, platform, installationId, kinds: createKindRegistry(kinds), confirmAfterMs: 0 },
    log: pino({ level: 'silent' }),
    // The kinds here call neither.
    aws: () => ({}) as never,
    tenantDatabases: {} as never,
  });
});

async function tenantThatIs(status: 'active' | 'suspended' = 'active'): Promise<Seeded> {
  const seeded = await seedTenant(db);
  const { tenantId, operationId } = seeded;
  await db.query(
    `insert into steps (tenant_id, cell, step_id, kind, operation_id, generation, state, outputs)
     select $1, $2, step, case step when 'logs' then 'log-group' else 'tenant-activation' end, $3, 1, 'ready', '{}'
     from unnest(array['logs', 'finalize']) step`,
    [tenantId, cell.id, operationId],
  );
  await db.query(`update operations set state = 'succeeded', closed_at = now() where id = $1`, [operationId]);
  const way = ['validating', 'creating', 'active', 'suspending', 'suspended'] as const;
  for (const next of way.slice(0, way.indexOf(status) + 1))
    await db.transaction((tx) => changeTenantStatus(tx, tenantId, next));
  return seeded;
}
const look = async ({ tenantId }: Seeded) =>
  (await drift.lookAtTenant(testCaller, tenantId, new AbortController().signal))!;
async function looksAtAll() {
  const { looks } = await drift.lookAtPage(testCaller, { cell: cell.id, signal: new AbortController().signal });
  return new Map(looks.map((one) => [one.tenantId, one]));
}
const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps('x') };

describe('a look at a tenant', () => {
  it('whose blueprint cannot be read is unknown, keeps what was found, and does not end the looks at others', async () => {
    const [broken, other] = [await tenantThatIs(), await tenantThatIs()];
    changed.add(broken.slug);
    expect((await look(broken)).outcome).toBe('drift');
    await db.query(`update operations set blueprint = blueprint || '{"later": true}' where tenant_id = $1`, [
      broken.tenantId,
    ]);
    const looks = await looksAtAll();
    expect(looks.get(other.tenantId)).toMatchObject({ outcome: 'none' });
    expect(looks.get(broken.tenantId)?.unseen).toMatchObject([
      { stepId: '', message: expect.stringContaining('later') as unknown },
    ]);
    expect(await driftDetails(db, broken.tenantId)).toMatchObject({
      findings: [{ stepId: 'logs' }],
      unseen: [{ stepId: '' }],
    });
  });

  it('whose deletion waits for the end of its grace period is taken as before, until that begins', async () => {
    const tenant = await tenantThatIs();
    const { tenantId, slug } = tenant;
    expect((await look(tenant)).outcome).toBe('none');
    const operationId = await accept(db, { tenantId, slug, type: 'deprovision', blueprint, graceMs: HOUR_MS });
    await db.query(`update tenants set status = 'deleting' where id = $1`, [tenantId]);
    expect((await driftDetails(db, tenantId)).drift?.state).toBe('none');
    changed.add(slug);
    expect((await looksAtAll()).get(tenantId)).toMatchObject({ outcome: 'drift' });
    await db.query(`update operations set state = 'committing', committed_at = now() where id = $1`, [operationId]);
    expect(await look(tenant)).toMatchObject({ outcome: 'void', why: 'an operation of the tenant is open' });
    expect((await looksAtAll()).has(tenantId)).toBe(false);
  });

  it('that is suspended names its resumption as what brings back what differs', async () => {
    const [active, suspended] = [await tenantThatIs(), await tenantThatIs('suspended')];
    for (const { slug } of [active, suspended]) changed.add(slug);
    expect((await look(active)).findings).toMatchObject([{ remedy: 'repair' }]);
    expect((await look(suspended)).findings).toMatchObject([{ remedy: 'resume' }]);
  });
});
