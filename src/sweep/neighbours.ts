import type { Cell, Platform } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';

/* Cells may share an account, a region, a zone or a database: what one lists another may use, and lists too. */

/** The cells whose resources may use a thing that this cell lists; itself first. */
export function cellsAround({ cells }: Platform, cell: Cell, { type }: Pick<SweptItem, 'type'>): Cell[] {
  const others = cells.filter(
    (other) =>
      other.id !== cell.id && (sharesAccount(other, cell) || (type === 'route53:record' && sharesZone(other, cell))),
  );
  return [cell, ...others];
}

/** Whether another cell's report lists a thing that this cell's report listed. */
export function listsToo(
  other: Cell,
  cell: Cell,
  { type, physicalId }: Pick<SweptItem, 'type' | 'physicalId'>,
): boolean {
  switch (type) {
    case 'route53:record':
      return sharesZone(other, cell);
    case 'postgres:schema':
      return other.tenantDatabases.some(({ id }) => physicalId.startsWith(`${id}/`));
    case 'ecs:service':
      return sharesAccount(other, cell) && other.cluster === cell.cluster;
    case 'elbv2:rule':
      return other.loadBalancers.some((lb) => physicalId.startsWith(ruleArnsOf(lb.httpsListenerArn)));
    case 'elbv2:target-group':
    case 'ecs:task-definition':
    case 'logs:log-group':
    case 'secretsmanager:secret':
      return sharesAccount(other, cell);
  }
}

function sharesAccount(a: Cell, b: Cell): boolean {
  return a.accountId === b.accountId && a.region === b.region;
}

function sharesZone(a: Cell, b: Cell): boolean {
  return a.hostedZone.id === b.hostedZone.id;
}

/** What the ARNs of a listener's rules begin with. */
function ruleArnsOf(listenerArn: string): string {
  return `${listenerArn.replace(':listener/', ':listener-rule/')}/`;
}
