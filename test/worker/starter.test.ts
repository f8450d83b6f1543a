import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { TenantryClient } from '../../src/client/tenantry.ts';
import type { Database } from '../../src/db/database.ts';
import { startAccepted } from '../../src/worker/starter.ts';
import { seedTenant } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

it('starts the others when one cannot be started', async () => {
  const poisoned = await seedTenant(db);
  const next = await seedTenant(db);
  const fresh = await seedTenant(db);
  await db.query(`update operations set accepted_at = now() - interval '2 minutes' where id = $1`, [
    poisoned.operationId,
  ]);
  await db.query(`update operations set accepted_at = now() - interval '1 minute' where id = $1`, [next.operationId]);
  const asked: string[] = [];
  const client: Pick<TenantryClient, 'startAccepted'> = {
    startAccepted: (_caller, { id }) => {
      asked.push(id);
      return id === poisoned.operationId ? Promise.reject(new Error('refused')) : Promise.resolve('started');
    },
  };
  await startAccepted({ database: db, client, log: pino({ level: 'silent' }) });
  expect(asked).toEqual([poisoned.operationId, next.operationId]);
  expect(asked).not.toContain(fresh.operationId);
});
