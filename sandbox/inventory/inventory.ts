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
  /** The sandbox's gateway, which lists AWS past its own fault injection: straight upstream, and its own stores. */
  readonly gatewayUrl?: string | undefined;
  /** Accounts and regions; by default those that have made a call to the gateway. */
  readonly accounts?: readonly AwsScope[] | undefined;
  /** `tenants` leaves out kinds that no tenant of today has things of (IAM, EC2, RDS, ...); `all` by default. */
  readonly scope?: InventoryScope | undefined;
  /** The tenants' database, as a login that sees all (a superuser, or nearly so any other). */
  readonly databaseUrl?: string | undefined;
  readonly processes?: ProcessSource | undefined;
  /** Kinds that are to be looked for: those that a ledger has rows of. */
  readonly mustList?: readonly string[] | undefined;
}

/**
 * All that exists, sorted by kind and name.
 * @throws Error when one of the sources cannot be read, or a kind that is to be looked for has no lister: half an inventory would prove nothing.
 */
export async function takeInventory(sources: InventorySources): Promise<InventoryItem[]> {
  const { gatewayUrl, databaseUrl, processes, mustList = [] } = sources;
  const unknown = unlistedOf(mustList);
  if (unknown.length > 0)
    throw new RangeError(`the inventory has no lister for ${unknown.join(', ')}: what is left of it would not be seen`);
  const listed = await Promise.all([
    gatewayUrl === undefined ? [] : askGateway(gatewayUrl, sources),
    databaseUrl === undefined ? [] : listPostgres(databaseUrl),
    processes === undefined ? [] : listProcesses(processes),
  ]);
  return sortItems(listed.flat());
}

/** Those of these kinds that no inventory shows. */
export function unlistedOf(kinds: readonly string[]): readonly string[] {
  return kinds.filter((kind) => !listedKinds.has(kind));
}

/** Kinds that the listers of AWS and PostgreSQL know, and that a ledger may have rows of. */
const listedKinds: ReadonlySet<string> = new Set([
  ...['ecs:service', 'ecs:task-definition', 'elbv2:rule', 'elbv2:target-group', 'logs:log-group', 'route53:record'],
  ...['secretsmanager:secret', 'sqs:queue', 'ssm:parameter', 'dynamodb:item', 'dynamodb:table', 'cloudformation:stack'],
  ...['postgres:login', 'postgres:role', 'postgres:schema'],
]);

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
