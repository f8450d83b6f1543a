import { expect, vi } from 'vitest';
import { startTraffic, type Traffic } from '../support/account-traffic.ts';
import { awsTargetOf, expectRowsServed, rowsIn } from './account-rows.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** Services that write and read an account's rows through the router while it loses the workers that move it. */
const traffics = new Map<string, Traffic>();
/** What the gateway bears of some accounts at once beside the workers: a write every 50 ms or so. */
const pace = { writerMs: 50, readerMs: 200 } as const;

/** Begins before the move, so that there are rows to be moved. */
export async function serve(world: ProcessWorld, tenant: Tenant): Promise<void> {
  traffics.set(tenant.tenantId, startTraffic(awsTargetOf(world), tenant.tenantId, pace));
  const seen = async () => expect((await rowsIn(world, sharedTable(world), tenant)).size).toBeGreaterThan(5);
  await vi.waitFor(seen, { timeout: 20_000, interval: 100 });
}

/** All rows are in the account's own table, with every write that was acknowledged; no read was older than one of those. */
export async function expectMoved(world: ProcessWorld, tenant: Tenant): Promise<void> {
  const traffic = await ended(tenant);
  expect(await world.api.get(tenant.tenantId)).toMatchObject({ tier: 'private' });
  traffic.expectRows(await rowsIn(world, `app-prod-account-${tenant.tenantId}`, tenant));
  expect(await rowsIn(world, sharedTable(world), tenant)).toEqual(new Map());
  await expectRowsServed(world, tenant);
}

/** All rows are in the shared table, as above. */
export async function expectNotMoved(world: ProcessWorld, tenant: Tenant): Promise<void> {
  const traffic = await ended(tenant);
  expect(await world.api.get(tenant.tenantId)).toMatchObject({ tier: 'public' });
  traffic.expectRows(await rowsIn(world, sharedTable(world), tenant));
  await expectRowsServed(world, tenant);
}

/** Ends what a failed test has left. */
export async function stopServing(): Promise<void> {
  const left = [...traffics.values()];
  traffics.clear();
  await Promise.allSettled(left.map((traffic) => traffic.end()));
}

/** What it saw since it began, all of it right. */
async function ended({ tenantId }: Tenant): Promise<Traffic> {
  const traffic = traffics.get(tenantId);
  if (!traffic) throw new Error(`nobody served account ${tenantId}`);
  traffics.delete(tenantId);
  const { reads, writes } = await traffic.end();
  expect([writes > 20, reads > 20]).toEqual([true, true]);
  return traffic;
}

function sharedTable({ platform }: ProcessWorld): string {
  return platform.cells[0]?.sharedTables?.[0] ?? '';
}
