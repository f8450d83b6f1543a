import type { Cell } from '../contracts/platform.ts';
import type { OperationContext } from '../db/steps.ts';
import type { Kind } from '../kinds/framework/kind.ts';
import {
  fieldsOf,
  must,
  stringsIn,
  within,
  type Bounds,
  type Purpose,
  type Recorded,
  type Within,
} from '../kinds/framework/within.ts';

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

/**
 * What in a resolved spec lies outside the cell or is not this tenant's (design rule 13), as sentences; empty when the
 * step may run.
 */
export function outsideCell(
  kind: Pick<Kind, 'inCell'>,
  spec: unknown,
  bounds: Bounds,
  purpose: Purpose = 'make',
): string[] {
  const judge = within(bounds, purpose);
  return [...arnsIn(spec).flatMap((arn) => arnProblem(arn, judge)), ...kind.inCell(fieldsOf(spec), judge)];
}

function isInPlace(arn: string, cell: Cell): boolean {
  const [, , service = '', region = '', account = ''] = arn.split(':');
  // IAM is global: its ARNs name no region.
  return account === cell.accountId && (region === cell.region || (service === 'iam' && region === ''));
}

function arnProblem(arn: string, judge: Within): string[] {
  const { cell, purpose } = judge;
  const [, , service = '', , , ...rest] = arn.split(':');
  const resource = rest.join(':');
  if (!isInPlace(arn, cell)) return [`${arn} lies outside the cell's account or region`];
  if (service === 'iam')
    return must(
      purpose === 'take-away' || cell.allowedRoleArns.includes(arn),
      `role ${arn} is not one that tenants may use`,
    );
  if (service === 'ecs' && /^(service|task|container-instance)\//.test(resource))
    return must(resource.split('/')[1] === cell.cluster, `${arn} lies in another cluster`);
  if (service === 'ecs' && resource.startsWith('cluster/'))
    return must(resource === `cluster/${cell.cluster}`, `${arn} is another cluster`);
  if (service === 'elasticloadbalancing') return balancingProblem(arn, resource, judge);
  return [];
}

function balancingProblem(arn: string, resource: string, judge: Within): string[] {
  if (resource.startsWith('loadbalancer/')) return judge.loadBalancer(arn);
  if (resource.startsWith('listener/')) return judge.listener(arn);
  if (resource.startsWith('listener-rule/')) {
    const listener = arn.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
    return must(judge.listener(listener).length === 0, `${arn} is a rule of a listener outside the cell`);
  }
  return must(resource.startsWith('targetgroup/'), `${arn} is nothing that a tenant may name`);
}

function arnsIn(value: unknown): string[] {
  return stringsIn(value).flatMap((text) => text.match(/arn:[^\s"',]+/g) ?? []);
}
