// Moved to ../inventory/inventory.ts; this path stays until its last user has moved.
import { takeInventory as takeWhole, type InventoryItem } from '../inventory/inventory.ts';

export { describeItem, difference, type InventoryDifference, type InventoryItem } from '../inventory/inventory.ts';

export function takeInventory(gatewayUrl: string, databaseUrl: string): Promise<InventoryItem[]> {
  return takeWhole({ gatewayUrl, databaseUrl, scope: 'tenants' });
}
