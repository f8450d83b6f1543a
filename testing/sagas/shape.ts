import { isOfTenant } from '../../sandbox/inventory/selection.ts';
import { shapeOf } from '../oracle.ts';
import type { Run, SagaWorld } from './world.ts';

/** What a tenant consists of now, without what every deployment has anew: ids, addresses. */
export async function shapeNow(world: SagaWorld, run: Run): Promise<string[]> {
  const own = (await world.inventory()).filter(isOfTenant(run));
  return shapeOf(own, { id: run.tenantId, slug: run.slug });
}
