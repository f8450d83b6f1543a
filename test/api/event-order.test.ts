import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listEvents } from '../../src/db/events.ts';
import { seedTenant } from '../db/fixtures.ts';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';
import { openStream, until } from './stream-reader.ts';

/* A reader that goes by `id > last` misses an event whose id is lower than one that was committed before it. */

let api: ApiFixture;
let base: string;
const writers: pg.Client[] = [];
beforeAll(async () => {
  api = await createApiFixture();
  base = (await api.listen()).url;
  for (let n = 0; n < 2; n += 1) {
    const writer = new pg.Client({ connectionString: api.controlUrl });
    await writer.connect();
    writers.push(writer);
  }
});
afterAll(async () => {
  for (const writer of writers) await writer.end();
  await api.close();
});

const insert = (writer: pg.Client, tenantId: string, stepId: string) =>
  writer.query(`insert into events (cell, tenant_id, type, step_id) values ('default', $1, 'step.started', $2)`, [
    tenantId,
    stepId,
  ]);

it('a transaction that begins to write first and commits last loses no follower an event, and tells none twice', async () => {
  const { tenantId } = await seedTenant(api.database);
  const [slow, quick] = writers as [pg.Client, pg.Client];
  const stream = await openStream(`${base}/api/v1/tenants/${tenantId}/events`);
  await slow.query('begin');
  await insert(slow, tenantId, 'slow');
  let isIn = false;
  const second = insert(quick, tenantId, 'quick').then(() => (isIn = true));
  // It waits for the first: what came of another order is not seen by anybody meanwhile.
  await until(() => stream.beats() > 1, 'heartbeats');
  expect(isIn).toBe(false);
  await slow.query('commit');
  await second;
  await until(() => stream.events.some(({ stepId }) => stepId === 'quick'), 'both events');
  const steps = stream.events.flatMap(({ stepId }) => (stepId === 'slow' || stepId === 'quick' ? [stepId] : []));
  expect(steps).toEqual(['slow', 'quick']);
  stream.close();
});

it('one that is taken back leaves its turn to the next, and other tenants wait for nobody', async () => {
  const [mine, other] = [await seedTenant(api.database), await seedTenant(api.database)];
  const [slow, quick] = writers as [pg.Client, pg.Client];
  await slow.query('begin');
  await slow.query('savepoint before');
  await insert(slow, mine.tenantId, 'undone');
  await slow.query('rollback to savepoint before');
  await insert(quick, mine.tenantId, 'between');
  await insert(slow, mine.tenantId, 'kept');
  await insert(quick, other.tenantId, 'elsewhere');
  const seen = (await listEvents(api.database, mine.tenantId)).map(({ stepId }) => stepId);
  expect(seen).toContain('between');
  await slow.query('commit');
  const all = (await listEvents(api.database, mine.tenantId)).flatMap(({ stepId }) => stepId ?? []);
  expect(all.slice(-2)).toEqual(['between', 'kept']);
});
