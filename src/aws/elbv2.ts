import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { createListenerRules, type ListenerRules } from './elbv2-rules.ts';
import { createTargetGroups, type TargetGroups } from './elbv2-target-groups.ts';
import { isAwsError, sent } from './errors.ts';

/** Elastic Load Balancing (v2) as a tenant's steps and the preflight see it. */
export interface LoadBalancing extends TargetGroups, ListenerRules {
  findLoadBalancer(arn: string): Promise<LoadBalancerSeen | undefined>;
  /** The listeners of a load balancer. */
  findListeners(loadBalancerArn: string): Promise<readonly ListenerSeen[]>;
}

export interface LoadBalancerSeen {
  readonly arn: string;
  readonly dnsName: string;
  readonly canonicalHostedZoneId: string;
  /** `active`, `provisioning`, `active_impaired`, `failed`. */
  readonly state: string;
}

export interface ListenerSeen {
  readonly arn: string;
  readonly port: number;
  readonly protocol: string;
  readonly certificateArns: readonly string[];
}

const service = 'elasticloadbalancing';

export function createLoadBalancing(client: ElasticLoadBalancingV2Client): LoadBalancing {
  return {
    ...createTargetGroups(client),
    ...createListenerRules(client),

    async findLoadBalancer(arn) {
      try {
        const answer = await client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
        const call = { service, action: 'DescribeLoadBalancers' };
        const raw = answer.LoadBalancers?.[0];
        return (
          raw && {
            arn: sent(raw.LoadBalancerArn, call, 'LoadBalancerArn'),
            dnsName: sent(raw.DNSName, call, 'DNSName'),
            canonicalHostedZoneId: sent(raw.CanonicalHostedZoneId, call, 'CanonicalHostedZoneId'),
            state: sent(raw.State?.Code, call, 'State.Code'),
          }
        );
      } catch (error) {
        if (isAwsError(error, 'LoadBalancerNotFound')) return undefined;
        throw error;
      }
    },

    async findListeners(loadBalancerArn) {
      try {
        const answer = await client.send(new DescribeListenersCommand({ LoadBalancerArn: loadBalancerArn }));
        const call = { service, action: 'DescribeListeners' };
        return (answer.Listeners ?? []).map((raw) => ({
          arn: sent(raw.ListenerArn, call, 'ListenerArn'),
          port: sent(raw.Port, call, 'Port'),
          protocol: sent(raw.Protocol, call, 'Protocol'),
          certificateArns: (raw.Certificates ?? []).flatMap((c) => c.CertificateArn ?? []),
        }));
      } catch (error) {
        if (isAwsError(error, 'LoadBalancerNotFound')) return [];
        throw error;
      }
    },
  };
}
