import { isCellAlias } from '../aws/inventory/records.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { SweepDeps } from './dependencies.ts';
import { cellsAround } from './neighbours.ts';

type UseDeps = Pick<SweepDeps, 'aws' | 'platform'>;

/**
 * Why a thing is in use right now, so that nobody may take it away; undefined when it is not. Asked in every cell that could use
 * it: lists are of a whole account and region. @throws StepError
 */
export async function useOf(deps: UseDeps, cell: Cell, item: SweptItem): Promise<string | undefined> {
  for (const other of cellsAround(deps.platform, cell, item)) {
    const use = await useInCell(deps, other, item, other === cell);
    if (use !== undefined) return other === cell ? use : `${use} (cell ${other.id})`;
  }
  return undefined;
}

async function useInCell(
  { aws }: UseDeps,
  cell: Cell,
  item: SweptItem,
  isListed: boolean,
): Promise<string | undefined> {
  const at = aws(cell.id);
  const { inventory } = at;
  switch (item.type) {
    case 'route53:record': {
      const other = isListed ? await otherRecord(at, cell, item) : undefined;
      return other ?? behind(at, `a rule for ${item.name}`, await inventory.targetGroupsBehind(item.name));
    }
    case 'elbv2:rule':
      return isListed ? behind(at, 'it', await inventory.targetGroupsOfRule(item.physicalId)) : undefined;
    case 'elbv2:target-group': {
      const serving = isListed ? await servingTarget(at, item.physicalId) : undefined;
      return serving === undefined ? undefined : `its target ${serving}`;
    }
    case 'ecs:service': {
      const use = isListed ? await inventory.serviceUse(item.physicalId) : undefined;
      if (!use || use.running === 0) return undefined;
      return behind(at, `it runs ${use.running} tasks and`, use.targetGroupArns);
    }
    case 'ecs:task-definition': {
      const services = await inventory.servicesUsing(item.physicalId);
      return services.length === 0 ? undefined : `service ${services.join(', ')} uses it`;
    }
    case 'logs:log-group': {
      // Every log group of ours is named after the service that writes to it.
      const use = await inventory.serviceUse(item.name.replace(/^\/ecs\//, ''));
      return use && use.running > 0 ? `the service of its name runs ${use.running} tasks` : undefined;
    }
    // A schema's sessions and what a secret opens: see removal.ts. A secret comes back within its window.
    case 'secretsmanager:secret':
    case 'postgres:schema':
      return undefined;
  }
}

type At = ReturnType<UseDeps['aws']>;

/** What else is at the host would lose the mark that says whose it is: an alias to a load balancer that left the cell, too. */
async function otherRecord({ dns }: At, cell: Cell, { name }: SweptItem): Promise<string | undefined> {
  const other = (await dns.findRecords(cell.hostedZone.id, name)).find((record) => !isCellAlias(record, cell));
  if (!other) return undefined;
  return `a record is at ${name} that is no alias of ours: ${other.type} ${other.alias?.dnsName ?? other.values.join(', ')}`;
}

async function behind(at: At, what: string, targetGroupArns: readonly string[]): Promise<string | undefined> {
  for (const arn of targetGroupArns) {
    const serving = await servingTarget(at, arn);
    if (serving !== undefined) return `${what} forwards to ${arn}, whose target ${serving}`;
  }
  return undefined;
}

/** A load balancer whose targets are all unhealthy sends to every one of them ("fails open"): they serve. */
async function servingTarget({ inventory, loadBalancing }: At, arn: string): Promise<string | undefined> {
  const [serving] = await inventory.servingTargets(arn);
  if (serving !== undefined) return serving;
  const unhealthy = (await loadBalancing.findTargetHealth(arn))?.find(({ state }) => state === 'unhealthy');
  return unhealthy && `${unhealthy.target} is unhealthy, as all are: the load balancer sends to them all the same`;
}
