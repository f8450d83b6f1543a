import { expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { findOperation } from '../../src/db/operations.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { useControlDatabase } from '../support/database.ts';
import { seedTenant, setRunning } from './fixtures.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

it('a snapshot sees tenant and operation of one moment, whatever is committed between its queries', async () => {
  const tenant = await seedTenant(db);
  await setRunning(db, tenant);
  const statusOf = async (at: Parameters<typeof findTenant>[0]) => (await findTenant(at, tenant.tenantId))?.status;
  const seen = await db.snapshot(async (at) => {
    const status = await statusOf(at);
    await db.transaction(async (tx) => {
      await tx.query(`update tenants set status = 'failed' where id = $1`, [tenant.tenantId]);
      await tx.query(`update operations set state = 'stuck' where id = $1`, [tenant.operationId]);
    });
    return { before: status, after: await statusOf(at), state: (await findOperation(at, tenant.operationId))?.state };
  });
  expect(seen.after).toBe(seen.before);
  expect(seen.state).toBe('running');
  expect(await statusOf(db)).toBe('failed');
});

it('a snapshot changes nothing', async () => {
  await expect(db.snapshot((at) => at.query('delete from mails'))).rejects.toThrow(/read-only/);
});
