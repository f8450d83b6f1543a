import { DescribeClustersCommand, ListServicesCommand } from '@aws-sdk/client-ecs';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetHostedZoneCommand, ListHostedZonesCommand, type HostedZone } from '@aws-sdk/client-route-53';
import type { Cell } from '../contracts/platform.ts';
import { createClients, type ClientOptions } from './clients.ts';
import { isAwsError } from './errors.ts';
import { createPacing, type Pacing } from './pacing.ts';
import { plainName } from './dns-names.ts';

/** What the preflight sees of a cell's shared infrastructure. Every method throws StepError. */
export interface LandingZone {
  /** Undefined: AWS knows no such cluster. */
  clusterStatus(): Promise<string | undefined>;
  /** Names of all services in the cluster. */
  serviceNames(): Promise<string[]>;
  /** Undefined: no such load balancer. */
  loadBalancer(arn: string): Promise<LoadBalancerSeen | undefined>;
  /** Undefined: no such zone. */
  zone(id: string): Promise<ZoneSeen | undefined>;
  /** Every hosted zone of the account, public and private. */
  zones(): Promise<ZoneSeen[]>;
  destroy(): void;
}

export interface LoadBalancerSeen {
  readonly dnsName: string;
  readonly canonicalHostedZoneId: string;
  readonly state: string;
  readonly listeners: readonly { readonly arn: string; readonly port: number; readonly protocol: string }[];
  readonly httpsRules: number;
  readonly targetGroups: number;
}

export interface ZoneSeen {
  readonly id: string;
  /** Without its final dot. */
  readonly name: string;
  readonly isPrivate: boolean;
}

export interface LandingZoneOptions extends ClientOptions {
  /** Pacers that others of this process draw on too. */
  readonly pacing?: Pacing | undefined;
}

/** A reader of the cell's landing zone with clients of its own; `destroy` closes them. */
export function createLandingZone(cell: Cell, options: LandingZoneOptions = {}): LandingZone {
  const clients = createClients(cell, options, (options.pacing ?? createPacing())(cell));
  return {
    async clusterStatus() {
      const { clusters } = await clients.ecs.send(new DescribeClustersCommand({ clusters: [cell.cluster] }));
      return clusters?.[0]?.status;
    },

    async serviceNames() {
      const names: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await clients.ecs.send(
          new ListServicesCommand({ cluster: cell.cluster, maxResults: 100, nextToken }),
        );
        names.push(...(page.serviceArns ?? []).map((arn) => arn.slice(arn.lastIndexOf('/') + 1)));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return names;
    },

    loadBalancer: (arn) => absentWhen(['LoadBalancerNotFound'], () => seenLoadBalancer(clients, cell, arn)),

    zone: (id) =>
      absentWhen(['NoSuchHostedZone'], async () => {
        const { HostedZone } = await clients.route53.send(new GetHostedZoneCommand({ Id: id }));
        return HostedZone && toZone(HostedZone);
      }),

    async zones() {
      const zones: ZoneSeen[] = [];
      let Marker: string | undefined;
      do {
        const page = await clients.route53.send(new ListHostedZonesCommand({ Marker }));
        zones.push(...(page.HostedZones ?? []).map(toZone));
        Marker = page.IsTruncated ? page.NextMarker : undefined;
      } while (Marker !== undefined);
      return zones;
    },

    destroy: () => clients.destroy(),
  };
}

async function seenLoadBalancer(
  clients: ReturnType<typeof createClients>,
  cell: Cell,
  arn: string,
): Promise<LoadBalancerSeen | undefined> {
  const { LoadBalancers } = await clients.elbv2.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  const found = LoadBalancers?.[0];
  if (!found) return undefined;
  const { Listeners } = await clients.elbv2.send(new DescribeListenersCommand({ LoadBalancerArn: arn }));
  const groups = await clients.elbv2.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: arn }));
  const https = cell.loadBalancers.find((lb) => lb.arn === arn)?.httpsListenerArn;
  const rules = Listeners?.some((l) => l.ListenerArn === https)
    ? await clients.elbv2.send(new DescribeRulesCommand({ ListenerArn: https }))
    : undefined;
  return {
    dnsName: found.DNSName ?? '',
    canonicalHostedZoneId: found.CanonicalHostedZoneId ?? '',
    state: found.State?.Code ?? 'unknown',
    listeners: (Listeners ?? []).map((l) => ({
      arn: l.ListenerArn ?? '',
      port: l.Port ?? 0,
      protocol: l.Protocol ?? '',
    })),
    httpsRules: (rules?.Rules ?? []).filter((rule) => rule.IsDefault !== true).length,
    targetGroups: groups.TargetGroups?.length ?? 0,
  };
}

function toZone({ Config, Id, Name }: HostedZone): ZoneSeen {
  return {
    id: (Id ?? '').replace(/^\/hostedzone\//, ''),
    name: plainName(Name ?? ''),
    isPrivate: Config?.PrivateZone ?? false,
  };
}

async function absentWhen<T>(names: readonly string[], look: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isAwsError(error, ...names)) return undefined;
    throw error;
  }
}
