import { expect } from 'vitest';
import {
  difference,
  isEmpty,
  ofTenant,
  renderDifference,
  takeInventory,
  withoutResidues,
  type InventoryItem,
} from '../../sandbox/inventory/inventory.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

export type Inventory = readonly InventoryItem[];

/** All that exists in AWS and in PostgreSQL. */
export function inventoryOf({ gateway, postgres }: ProcessWorld): Promise<Inventory> {
  const databaseUrl = new URL('/tenants', postgres.adminUrl).href;
  return takeInventory({ gatewayUrl: gateway.url, databaseUrl, scope: 'tenants' });
}

/** Nothing has come or gone since but what AWS itself keeps for a while of what was removed. */
export async function expectLikeBefore(world: ProcessWorld, before: Inventory): Promise<void> {
  const diff = withoutResidues(difference(before, await inventoryOf(world)));
  expect(renderDifference(diff)).toBe('');
  expect(isEmpty(diff)).toBe(true);
}

/**
 * What the tenant has, said as a template: its own names, ids and random numbers replaced, residues left out, and the rows of services.
 * Two tenants that were made alike have the same.
 */
export function shapeOf(before: Inventory, now: Inventory, tenant: Tenant): string[] {
  const { added } = withoutResidues(ofTenant(difference(before, now), tenant));
  return added
    .filter(({ kind, id }) => !(kind === 'dynamodb:item' && id.includes('/NOTE#')))
    .map((item) => shapeOfItem(item, tenant))
    .sort();
}

/** Of this tenant there is nothing but what AWS itself keeps for a while. */
export function expectNothingOf(before: Inventory, now: Inventory, tenant: Tenant): void {
  expect(renderDifference(withoutResidues(ofTenant(difference(before, now), tenant)))).toBe('');
}

function shapeOfItem({ kind, id, name, detail, settings }: InventoryItem, tenant: Tenant): string {
  const facts = JSON.stringify({ ...detail, ...settings });
  return blanked(`${kind} ${name ?? id} ${facts}`, tenant);
}

/** Without what is the tenant's own or drawn anew for each: ids, hashed names, addresses of tasks, times, places among the rules. */
function blanked(text: string, { tenantId, slug }: Tenant): string {
  return text
    .replaceAll(tenantId, '<tenant>')
    .replaceAll(tenantId.replaceAll('-', ''), '<tenant>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(slug, '<slug>')
    .replaceAll(/\b[0-9a-f]{32}\b/g, '<random>')
    .replaceAll(/\bt-[0-9a-f]{10}-/g, 't-<hash>-')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?/g, '<time>')
    .replaceAll(/\b10(\.\d+){3}\b/g, '<address>')
    .replaceAll(/ priority \d+/g, ' priority <n>');
}
