import { describeItem, isOfTenant, only } from '../../sandbox/inventory/inventory.ts';
import { inventoryOf } from './process-inventory.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** Nothing in AWS and PostgreSQL is this tenant's, but what AWS keeps for a while. @throws Error with what is there */
export async function expectGone(world: ProcessWorld, { tenantId, slug }: Tenant): Promise<void> {
  const left = only(
    await inventoryOf(world),
    (item) => isOfTenant({ tenantId, slug })(item) && item.residue === undefined,
  );
  if (left.length > 0)
    throw new Error(`tenant ${slug} is said to be gone, but there is:\n${left.map(describeItem).join('\n')}`);
}
