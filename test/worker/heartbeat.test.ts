import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { listHeartbeats } from '../../src/db/worker-heartbeats.ts';
import { startHeartbeat } from '../../src/worker/heartbeat.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.controlUrl });
  await migrate(database);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const log = pino({ level: 'silent' });
type Worker = Parameters<typeof startHeartbeat>[0]['worker'];
const worker = (identity: string, state: ReturnType<Worker['getState']>): Worker => ({
  options: { identity } as Worker['options'],
  getState: () => state,
});
const deadWorkers = async () =>
  (await listHeartbeats(database)).filter((beat) => beat.isDead).map((beat) => beat.identity);
const known = async () =>
  (await database.query<{ identity: string }>('select identity from worker_heartbeats')).rows.map((r) => r.identity);

describe('the heartbeat of a worker', () => {
  it('says that the worker lives while it polls, and that it stopped once it is stopped', async () => {
    const heartbeat = startHeartbeat({ database, worker: worker('1@here', 'RUNNING'), log });
    await expect.poll(known).toContain('1@here');
    expect(await deadWorkers()).not.toContain('1@here');
    await heartbeat.stop();
    expect(await deadWorkers()).toContain('1@here');
  });

  it('is not given for a worker that has failed or stops', async () => {
    for (const state of ['FAILED', 'DRAINING', 'STOPPED'] as const)
      await startHeartbeat({ database, worker: worker(`2@${state}`, state), log }).stop();
    expect((await known()).filter((identity) => identity.startsWith('2@'))).toEqual([]);
  });

  it('takes a worker for living again that starts anew under its identity', async () => {
    await startHeartbeat({ database, worker: worker('3@here', 'RUNNING'), log }).stop();
    expect(await deadWorkers()).toContain('3@here');
    const heartbeat = startHeartbeat({ database, worker: worker('3@here', 'INITIALIZED'), log });
    await expect.poll(deadWorkers).not.toContain('3@here');
    await heartbeat.stop();
  });
});
