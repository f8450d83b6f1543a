import { expect, it } from 'vitest';
import { startPostgresProxy } from '../../sandbox/parts/postgres-proxy.ts';
import { createDatabase } from '../../src/db/database.ts';
import { createTestDatabase } from '../support/database.ts';

it('a LISTEN that is stopped while it connects again stops, and leaves no session', async () => {
  const test = await createTestDatabase();
  const { hostname: host, port } = new URL(test.controlUrl);
  const proxy = await startPostgresProxy({ host, port: Number(port) });
  const direct = createDatabase({ url: test.controlUrl });
  const db = createDatabase({ url: proxy.through(test.controlUrl), applicationName: 'stopped' });
  const sessions = `from pg_stat_activity where application_name = 'stopped-listener'`;
  const listening = await db.listen('c', () => undefined);
  const again = proxy.addRule({
    match: { application: 'stopped-listener', startsWith: 'listen' },
    fault: { type: 'park' },
  });
  await direct.query(`select pg_terminate_backend(pid) ${sessions}`);
  await expect.poll(() => proxy.hits(again)).toBe(1);
  let isStopped = false;
  void listening.stop().then(() => (isStopped = true));
  proxy.release();
  await expect.poll(() => isStopped).toBe(true);
  await expect.poll(async () => (await direct.query(`select 1 ${sessions}`)).rowCount).toBe(0);
  await db.close();
  await direct.close();
  await proxy.close();
  await test.drop();
});
