import { strict as assert } from 'node:assert';
import type { Call } from '../../sandbox/gateway/gateway.ts';
import { releaseAllocations } from '../../src/db/allocations.ts';
import { releaseSlug } from '../../src/db/reservations.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf } from '../oracle.ts';
import type { StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

/** A deletion without an answer may land when the removal has long been tried again: then nobody else's thing may be in its way. */
export const lateRemovalCase: ConformanceCase = {
  name: 'is not recorded as removed while a deletion may still land on what a later tenant of the slug makes',
  async run(bench) {
    if (Object.keys(bench.kind.types).length === 0) return;
    const driver = await made(bench);
    await driver.beginUndo();
    const { lost, stop } = loseDeletions(bench, driver);
    const mayStillLand = await driver.takeAway();
    stop();
    if (mayStillLand) await driver.lookOnceMore();
    await expectGone(bench, driver);
    if (!mayStillLand) await expectHarmless(bench, driver, lost);
  },
};

/** The first call of every action by which the step is removed gets no answer, and has no effect yet. */
function loseDeletions({ stand }: Bench, { tenant }: StepDriver): { lost: readonly Call[]; stop: () => void } {
  const { gateway, tap } = stand;
  const lost: Call[] = [];
  const stop = tap.watch((call) => {
    const { action, caller, kind, service } = call;
    const { operationId, stepId, verb } = caller;
    if (kind !== 'change' || operationId !== tenant.operationId || stepId !== tenant.step.id) return;
    if (lost.some((other) => other.service === service && other.action === action)) return;
    lost.push(call);
    gateway.addRule({ match: { operationId, stepId, verb, service, action }, fault: { type: 'cut', when: 'before' } });
  });
  return { lost, stop };
}

/** The removed tenant's deletions land on its successor. */
async function expectHarmless(bench: Bench, { tenant }: StepDriver, lost: readonly Call[]): Promise<void> {
  const { database, gateway, oracle } = bench.stand;
  await database.transaction(async (tx) => {
    await releaseSlug(tx, { product: bench.sample.product.name, slug: tenant.slug, tenantId: tenant.id });
    await releaseAllocations(tx, tenant.id);
  });
  const successor = await made(bench, { slug: tenant.slug });
  const shape = shapeOf(await oracle.itemsOf(successor.tenant), successor.tenant);
  for (const call of lost) await sendAgain(gateway.url, call);
  const now = shapeOf(await oracle.itemsOf(successor.tenant), successor.tenant);
  const calls = lost.map(({ service, action }) => `${service}:${action}`).join(', ');
  assert.deepEqual(
    shapeDifference(shape, now),
    [],
    `${calls} of a removed step landed late, on what a later tenant of the slug had made (deletesByName)`,
  );
  await expectGone(bench, successor);
}

/** Of one connection only. */
const connectionHeaders = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding'];

async function sendAgain(url: string, { body, headers, method, path }: Call): Promise<void> {
  const kept = Object.entries(headers).filter(([name]) => !connectionHeaders.includes(name));
  const withBody = method !== 'GET' && body.length > 0;
  const answer = await fetch(new URL(path, url), {
    method,
    headers: Object.fromEntries(kept),
    ...(withBody && { body: new Uint8Array(body) }),
  });
  await answer.arrayBuffer();
}
