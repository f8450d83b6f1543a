import type { InventoryItem } from '../item.ts';
import type { AwsCaller } from './caller.ts';
import { facts, tagged } from './facts.ts';
import type { OwnedThings } from './owned-things.ts';

/** Scalable targets and policies of a gateway, which has them in the emulator's place. They have no list of all namespaces in AWS. */
export function listScaling({ scope }: AwsCaller, owned: OwnedThings): Promise<InventoryItem[]> {
  const isHere = (one: { readonly scope: AwsCaller['scope'] }) =>
    one.scope.accountId === scope.accountId && one.scope.region === scope.region;
  const targets = owned.scalableTargets
    .filter(isHere)
    .map(({ arn, resourceId, dimension, minCapacity, maxCapacity, tags }) =>
      tagged(
        {
          ...{ kind: 'autoscaling:scalable-target', id: arn, name: `${resourceId} ${dimension}` },
          detail: facts({ min: minCapacity, max: maxCapacity }),
        },
        tags,
      ),
    );
  const policies = owned.scalingPolicies
    .filter(isHere)
    .map(({ arn, resourceId, dimension, name, targetValue, metric }) => ({
      ...{ kind: 'autoscaling:scaling-policy', id: arn, name: `${resourceId} ${dimension} ${name}` },
      detail: facts({ metric, targetValue }),
    }));
  return Promise.resolve([...targets, ...policies]);
}
