import { postgresInventory } from './postgres-inventory.ts';

export interface InventoryItem {
  readonly kind: string;
  readonly id: string;
  readonly detail?: string | undefined;
}

/** All that exists in AWS (each kind by its own list call, through the gateway) and in PostgreSQL, sorted. */
export async function takeInventory(endpointUrl: string, databaseUrl: string): Promise<InventoryItem[]> {
  const [aws, postgres] = await Promise.all([awsInventory(endpointUrl), postgresInventory(databaseUrl)]);
  return [...aws, ...postgres].sort((a, b) => key(a).localeCompare(key(b)));
}

export interface InventoryDifference {
  readonly added: readonly InventoryItem[];
  readonly removed: readonly InventoryItem[];
}

/** What is there after and was not before, and the other way round. Details count: a secret that is to be deleted is another thing. */
export function difference(before: readonly InventoryItem[], after: readonly InventoryItem[]): InventoryDifference {
  const had = new Set(before.map(key));
  const has = new Set(after.map(key));
  return { added: after.filter((i) => !had.has(key(i))), removed: before.filter((i) => !has.has(key(i))) };
}

export function describeItem(item: InventoryItem): string {
  return item.detail === undefined ? `${item.kind} ${item.id}` : `${item.kind} ${item.id} (${item.detail})`;
}

const key = (item: InventoryItem) => describeItem(item);

async function awsInventory(endpointUrl: string): Promise<InventoryItem[]> {
  const response = await fetch(new URL('/_gateway/inventory', endpointUrl));
  if (!response.ok)
    throw new Error(`the gateway at ${endpointUrl} gave no inventory: ${response.status} ${await response.text()}`);
  const body = (await response.json()) as InventoryItem[] | { items: InventoryItem[] };
  return Array.isArray(body) ? body : body.items;
}
