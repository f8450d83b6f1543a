import type { Cell } from '../contracts/platform.ts';
import type { OperationContext } from '../db/steps.ts';
import { arnsIn, isInPlace } from '../kinds/framework/outside-cell.ts';
import type { Recorded } from '../kinds/framework/within.ts';

/** From the tenant's row and the places that it holds; a caller has no say in either. */
export function recordedOf(operationContext: Pick<OperationContext, 'hostName' | 'places'>, stepId: string): Recorded {
  const { hostName, places } = operationContext;
  const scopes = (kind: string) => places.filter((place) => place.kind === kind);
  return {
    hostName,
    zoneIds: scopes('host-name')
      .filter(({ key }) => key === hostName)
      .map(({ scope }) => scope),
    loadBalancerArns: scopes('load-balancer').map(({ scope }) => scope),
    listenerArns: [
      ...new Set(
        scopes('rule-priority')
          .filter((p) => p.stepId === stepId)
          .map(({ scope }) => scope),
      ),
    ],
  };
}

/**
 * Things of the tenant that were made in an account or region where the cell's calls do not go any more: a look there would show
 * nothing and be taken for their absence.
 */
export function movedAway(
  steps: readonly { readonly state: string; readonly outputs: unknown }[],
  cell: Cell,
): string[] {
  const arns = steps.filter(({ state }) => state !== 'removed').flatMap(({ outputs }) => arnsIn(outputs));
  return [
    ...new Set(
      arns
        .filter((arn) => !isInPlace(arn, cell))
        .map((arn) => `${arn} was made outside of ${cell.accountId} ${cell.region}, which the cell is now`),
    ),
  ];
}
