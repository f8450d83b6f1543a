import {
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Cell } from '../../contracts/platform.ts';
import type { Clients } from '../clients.ts';
import { isAwsError, sent } from '../errors.ts';
import { retryTransient } from './pages.ts';
import { describeServices, listServiceArns } from './services.ts';
import { listRules } from './rules.ts';

/** Who uses a thing right now: what serves healthy targets is never taken away. Every method throws StepError. */
export interface Use {
  /** Targets of a group that serve, or are about to; empty also when there is no such group. */
  servingTargets(targetGroupArn: string): Promise<string[]>;
  /** Target groups that the cell's rules for a host forward to. */
  targetGroupsBehind(host: string): Promise<string[]>;
  /** Target groups that a rule forwards to. */
  targetGroupsOfRule(ruleArn: string): Promise<string[]>;
  /** A service's running tasks and target groups; undefined when there is none that is not INACTIVE. */
  serviceUse(nameOrArn: string): Promise<{ running: number; targetGroupArns: string[] } | undefined>;
  /** Services of the cell's cluster, not INACTIVE, that run or deploy this revision. */
  servicesUsing(taskDefinitionArn: string): Promise<string[]>;
  /** Priorities that are taken on each of the cell's HTTPS listeners. */
  takenPriorities(): Promise<ReadonlyMap<string, ReadonlySet<number>>>;
}

export function createUse({ ecs, elbv2 }: Clients, cell: Cell): Use {
  return {
    servingTargets: (arn) => servingTargets(elbv2, arn),

    async targetGroupsBehind(host) {
      const rules = await listRules(elbv2, cell);
      return rules
        .filter((rule) => rule.hosts.some((h) => matches(h, host)))
        .flatMap((rule) => [...rule.targetGroupArns]);
    },

    async targetGroupsOfRule(arn) {
      return (await listRules(elbv2, cell))
        .filter((rule) => rule.arn === arn)
        .flatMap((rule) => [...rule.targetGroupArns]);
    },

    async serviceUse(nameOrArn) {
      const [found] = await describeServices(ecs, cell.cluster, [nameOrArn]);
      if (!found) return undefined;
      return {
        running: sent(found.runningCount, { service: 'ecs', action: 'DescribeServices' }, 'runningCount'),
        targetGroupArns: (found.loadBalancers ?? []).flatMap((lb) => lb.targetGroupArn ?? []),
      };
    },

    async servicesUsing(taskDefinitionArn) {
      const services = await describeServices(ecs, cell.cluster, await listServiceArns(ecs, cell.cluster));
      const using = services.filter((service) =>
        [service.taskDefinition, ...(service.deployments ?? []).map((d) => d.taskDefinition)].includes(
          taskDefinitionArn,
        ),
      );
      return using.map((service) => service.serviceName ?? '?');
    },

    async takenPriorities() {
      const taken = new Map<string, Set<number>>();
      for (const lb of cell.loadBalancers) {
        const rules = await listRules(elbv2, { ...cell, loadBalancers: [lb] });
        taken.set(lb.httpsListenerArn, new Set(rules.map((rule) => rule.priority)));
      }
      return taken;
    },
  };
}

/** States of targets that take no new requests. Anything else, also one that we do not know, counts as serving. */
const idleStates = ['unhealthy', 'unused', 'draining'];

async function servingTargets(client: ElasticLoadBalancingV2Client, TargetGroupArn: string): Promise<string[]> {
  try {
    const answer = await retryTransient(() => client.send(new DescribeTargetHealthCommand({ TargetGroupArn })));
    const targets = sent(
      answer.TargetHealthDescriptions,
      { service: 'elasticloadbalancing', action: 'DescribeTargetHealth' },
      'TargetHealthDescriptions',
    );
    return targets
      .filter((t) => !idleStates.includes(t.TargetHealth?.State ?? ''))
      .map((t) => `${t.Target?.Id ?? '?'}:${t.Target?.Port ?? '?'} is ${t.TargetHealth?.State ?? 'of unknown state'}`);
  } catch (error) {
    if (isAwsError(error, 'TargetGroupNotFound')) return [];
    throw error;
  }
}

/** Host conditions may hold `*` and `?`. */
function matches(pattern: string, host: string): boolean {
  const source = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(host.toLowerCase());
}
