import fastify from 'fastify';
import { expect, it } from 'vitest';
import { refusalAudit } from '../../src/api/access/refusal-audit.ts';
import { unauthenticated } from '../../src/api/access/refusals.ts';
import type { Refusal } from '../../src/db/access-refusals.ts';

/** An API that refuses every request, on a store that does as it is told. */
async function refusing(store: (refusal: Refusal) => Promise<void>) {
  const app = fastify();
  app.decorateRequest('identity', undefined);
  const audit = refusalAudit(app, { recordRefusal: store });
  app.addHook('onRequest', async (request) => {
    const error = unauthenticated('missing', 'who asks?');
    await audit(request, error);
  });
  app.get('/', () => ({ ok: true }));
  await app.ready();
  return app;
}

it('a refusal is answered soon though it cannot be recorded yet, and is recorded before the API has ended', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const kept: Refusal[] = [];
  const app = await refusing(async (refusal) => {
    await held;
    kept.push(refusal);
  });
  const began = performance.now();
  await Promise.all([app.inject('/'), app.inject('/'), app.inject('/')]);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(kept).toEqual([]);
  const closed = app.close();
  release();
  await closed;
  expect(kept).toHaveLength(3);
});

it('what is not recorded fails no answer, and is counted with the next one that is', async () => {
  let isDown = true;
  const kept: Refusal[] = [];
  const app = await refusing((refusal) => {
    if (isDown) return Promise.reject(new Error('the database is down'));
    kept.push(refusal);
    return Promise.resolve();
  });
  for (let i = 0; i < 3; i += 1) expect((await app.inject('/')).statusCode).toBe(200);
  isDown = false;
  await app.inject('/');
  expect(kept.map(({ unrecorded }) => unrecorded)).toEqual([3]);
  await app.close();
});
