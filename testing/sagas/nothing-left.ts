import { expect } from 'vitest';
import { isResidue } from '../../sandbox/demo/residues.ts';
import { describeChange, describeItem, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { ofTenant } from '../../sandbox/inventory/selection.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { listResidues } from './residues.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import { difference, type Run, type SagaWorld } from './world.ts';

/**
 * AWS and PostgreSQL are as they were before the run as far as its tenant is concerned, but for the residues that its ledger names; and
 * the ledger says so. Others may be at work meanwhile.
 */
export async function expectNothingLeft(world: SagaWorld, run: Run, before: readonly InventoryItem[]): Promise<void> {
  const residues = await listResidues(world.database, run.tenantId);
  const { added, removed, changed } = ofTenant(difference(before, await world.inventory()), run);
  expect(added.filter((item) => !isResidue(item, residues)).map(describeItem)).toEqual([]);
  expect(removed.map(describeItem)).toEqual([]);
  expect(changed.map(describeChange)).toEqual([]);
  expect(await listNotRemoved(world.database, run.tenantId)).toEqual([]);
  const [operation] = await listOperationsOf(world.database, run.tenantId);
  expect(await findBlueprint(world.database, operation!.id)).toBeDefined();
}
