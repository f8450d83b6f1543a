import { afterAll, beforeAll, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

it('a tenant that is to be deleted answers until its grace period ends; a cancel keeps it, an end removes it', async () => {
  const atFirst = await world.inventory();
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  const before = await shapeNow(world, run);
  const host = `${run.slug}.${world.platform.cells[0]!.domains.moamalat!}`;
  const answers = async () => (await askTenant(world.platform, host, '/api/health')).status;

  await remove(run, 3_600_000);
  const waiting = await world.until(run, 'running');
  expect(waiting).toMatchObject({ status: 'deleting', deletesAt: expect.any(String) as unknown });
  expect(await answers()).toBe(200);
  await world.client.cancel(caller, run.tenantId);
  expect(await world.outcome(run)).toBe('cancelled');
  expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
  expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  expect(await answers()).toBe(200);

  await remove(run, 2_000);
  expect(await answers()).toBe(200);
  expect(await world.outcome(run)).toBe('deleted');
  await expectNothingLeft(world, run, atFirst);
});

function remove(run: Run, graceMs: number) {
  return world.client.deleteTenant(caller, run.tenantId, { confirm: run.slug, graceMs });
}
