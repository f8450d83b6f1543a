import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { createListenerRules, type ListenerRules } from './elbv2-rules.ts';
import { createTargetGroups, type TargetGroups } from './elbv2-target-groups.ts';

/** Elastic Load Balancing (v2) as a tenant's steps see it. */
export interface LoadBalancing extends TargetGroups, ListenerRules {}

export function createLoadBalancing(client: ElasticLoadBalancingV2Client): LoadBalancing {
  return { ...createTargetGroups(client), ...createListenerRules(client) };
}
