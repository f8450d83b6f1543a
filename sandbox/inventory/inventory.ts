// The oracle: what really exists, asked of AWS, PostgreSQL and the machine. It shares no code with what it judges.
import { sortItems, type InventoryItem, type InventoryScope } from './item.ts';
import type { AwsScope } from './aws/caller.ts';
import { listPostgres } from './postgres/listing.ts';
import { listProcesses, type ProcessSource } from './processes.ts';

export { difference, isEmpty, type ChangedFact, type ChangedItem, type InventoryDifference } from './difference.ts';
export { keyOf, sortItems, type Facts, type InventoryItem, type InventoryScope, type Owner } from './item.ts';
export { describeChange, describeItem, renderDifference } from './rendering.ts';
export {
  isOfTenant,
  mentions,
  ofTenant,
  only,
  withoutResidues,
  type ItemFilter,
  type TenantTraces,
} from './selection.ts';
export type { AwsScope } from './aws/caller.ts';
export type { ProcessSource } from './processes.ts';

/** Where to look. What is left out is not looked at. */
export interface InventorySources {
  /** The sandbox's gateway, which lists AWS past its own weather: straight upstream, and its own stores. */
  readonly gatewayUrl?: string | undefined;
  /** Accounts and regions; by default those that have made a call to the gateway. */
  readonly accounts?: readonly AwsScope[] | undefined;
  /** `tenants` leaves out kinds that no tenant of today has things of (IAM, EC2, RDS, ...); `all` by default. */
  readonly scope?: InventoryScope | undefined;
  /** The tenants' database, as a login that sees all (a superuser, or nearly so any other). */
  readonly databaseUrl?: string | undefined;
  readonly processes?: ProcessSource | undefined;
}

/**
 * All that exists, sorted by kind and name.
 * @throws Error when one of the sources cannot be read: half an inventory would prove nothing.
 */
export async function takeInventory(sources: InventorySources): Promise<InventoryItem[]> {
  const { gatewayUrl, databaseUrl, processes } = sources;
  const listed = await Promise.all([
    gatewayUrl === undefined ? [] : askGateway(gatewayUrl, sources),
    databaseUrl === undefined ? [] : listPostgres(databaseUrl),
    processes === undefined ? [] : listProcesses(processes),
  ]);
  return sortItems(listed.flat());
}

async function askGateway(gatewayUrl: string, { accounts = [], scope = 'all' }: InventorySources) {
  const url = new URL('/_gateway/inventory', gatewayUrl);
  url.searchParams.set('scope', scope);
  for (const { accountId, region } of accounts) url.searchParams.append('account', `${accountId}/${region}`);
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`the gateway at ${gatewayUrl} gave no inventory: ${response.status} ${text}`);
  // Our own words, one process further.
  return JSON.parse(text) as InventoryItem[];
}
