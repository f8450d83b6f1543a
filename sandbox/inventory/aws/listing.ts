import { sortItems, keyOf, type InventoryItem, type InventoryScope } from '../item.ts';
import { AwsCaller, type AwsScope } from './caller.ts';
import { listDynamodb } from './dynamodb.ts';
import { listEcs, serviceName } from './ecs.ts';
import { listElb } from './elb.ts';
import { listFurtherKinds } from './further-kinds.ts';
import { listLogGroups } from './logs.ts';
import { listRoute53 } from './route53.ts';
import { listObjects } from './s3.ts';
import { listScaling } from './scaling.ts';
import { listSecrets } from './secrets.ts';
import { listQueues } from './sqs.ts';
import { listParameters } from './ssm.ts';
import { listStacks } from './stacks.ts';
import { nothingOwned, type OwnedThings } from './owned-things.ts';

export interface AwsListing {
  /** Where AWS is asked: not a gateway that injects faults, but what is behind it. */
  readonly endpointUrl: string;
  /** Accounts and regions to look in. */
  readonly scopes: readonly AwsScope[];
  readonly scope?: InventoryScope | undefined;
  /** What the endpoint does not know, or knows less of than its gateway. */
  readonly owned?: OwnedThings | undefined;
}

/** Lists one kind or a few that belong together, in one account and region. */
export type Lister = (caller: AwsCaller, owned: OwnedThings) => Promise<InventoryItem[]>;

const tenantListers: readonly Lister[] = [
  listEcs,
  listElb,
  listRoute53,
  listSecrets,
  listLogGroups,
  listParameters,
  listDynamodb,
  listQueues,
  listStacks,
  listScaling,
  listObjects,
];

/**
 * All that exists in AWS, each kind by its own list calls (what leaks may have no tags), sorted.
 * @throws AwsReadError, or Error when the endpoint cannot be reached: an inventory is whole or there is none.
 */
export async function listAws(listing: AwsListing): Promise<InventoryItem[]> {
  const owned = listing.owned ?? nothingOwned;
  const listers = listing.scope === 'tenants' ? tenantListers : [...tenantListers, listFurtherKinds];
  const callers = listing.scopes.map((scope) => new AwsCaller(listing.endpointUrl, scope));
  const listed = await Promise.all(callers.flatMap((caller) => listers.map((list) => list(caller, owned))));
  // Scopes of one account see the same global things (Route 53, IAM).
  const unique = new Map(listed.flat().map((item) => [keyOf(item), item]));
  return sortItems([...unique.values(), ...listenerItems(owned, unique)]);
}

function listenerItems({ taskListeners }: OwnedThings, items: ReadonlyMap<string, InventoryItem>): InventoryItem[] {
  return taskListeners.map(({ id, serviceArn }) => {
    const kind = 'local:task-listener';
    if (serviceArn === undefined) return { kind, id };
    const owner = items.get(keyOf({ kind: 'ecs:service', id: serviceArn }))?.owner;
    return { kind, id, detail: { service: serviceName(serviceArn) }, ...(owner && { owner }) };
  });
}
