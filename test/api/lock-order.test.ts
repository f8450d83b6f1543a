import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvent } from '../../src/db/events.ts';
import { lockTenant } from '../../src/db/tenants.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

describe('a request for a tenant whose row somebody holds', () => {
  it.each(['suspend', 'repair'])('%s waits for it without the lock of its events', async (verb) => {
    const payload = { ...acme, slug: `order-${verb}` };
    const created = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
    const { tenantId } = created.json<{ tenantId: string }>();
    await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    let asked: Promise<{ statusCode: number }> | undefined;
    await api.database.transaction(async (tx) => {
      // As a look at the tenant is recorded: its row, then an event.
      const { cell } = await lockTenant(tx, tenantId);
      asked = api.app.inject({ method: 'POST', url: `/api/v1/tenants/${tenantId}/${verb}` });
      await untilSomebodyWaits();
      await tx.query(`set local lock_timeout = '500ms'`);
      await appendEvent(tx, { cell, tenantId, type: 'tenant.health', data: {}, caller: 'unknown' });
    });
    expect((await asked)?.statusCode).toBe(202);
  });
});

async function untilSomebodyWaits(): Promise<void> {
  const waiting = `select from pg_locks l join pg_database d on d.oid = l.database or l.database is null
    where not l.granted and d.datname = current_database()`;
  while ((await api.database.query(waiting)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
