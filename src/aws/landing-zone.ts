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
import { plainZoneId } from '../formats.ts';
import { isAwsError, sent } from './errors.ts';
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
      const answer = await clients.ecs.send(new DescribeClustersCommand({ clusters: [cell.cluster] }));
      const call = { service: 'ecs', action: 'DescribeClusters' };
      const [found] = sent(answer.clusters, call, 'clusters');
      return found && sent(found.status, call, 'clusters[].status');
    },

    async serviceNames() {
      const names: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await clients.ecs.send(
          new ListServicesCommand({ cluster: cell.cluster, maxResults: 100, nextToken }),
        );
        const arns = sent(page.serviceArns, { service: 'ecs', action: 'ListServices' }, 'serviceArns');
        names.push(...arns.map((arn) => arn.slice(arn.lastIndexOf('/') + 1)));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return names;
    },

    loadBalancer: (arn) => absentWhen(['LoadBalancerNotFound'], () => seenLoadBalancer(clients, cell, arn)),

    zone: (id) =>
      absentWhen(['NoSuchHostedZone'], async () => {
        const answer = await clients.route53.send(new GetHostedZoneCommand({ Id: id }));
        return toZone(sent(answer.HostedZone, { service: 'route53', action: 'GetHostedZone' }, 'HostedZone'));
      }),

    async zones() {
      const zones: ZoneSeen[] = [];
      let Marker: string | undefined;
      do {
        const page = await clients.route53.send(new ListHostedZonesCommand({ Marker }));
        const call = { service: 'route53', action: 'ListHostedZones' };
        zones.push(...sent(page.HostedZones, call, 'HostedZones').map(toZone));
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
  const { elbv2 } = clients;
  const { LoadBalancers } = await elbv2.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  const [found] = answered(LoadBalancers, 'LoadBalancers');
  if (!found) return undefined;
  const described = await elbv2.send(new DescribeListenersCommand({ LoadBalancerArn: arn }));
  const listeners = answered(described.Listeners, 'Listeners');
  const groups = await elbv2.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: arn }));
  const https = cell.loadBalancers.find((lb) => lb.arn === arn)?.httpsListenerArn;
  const rules = listeners.some((l) => l.ListenerArn === https)
    ? answered((await elbv2.send(new DescribeRulesCommand({ ListenerArn: https }))).Rules, 'Rules')
    : [];
  return {
    dnsName: answered(found.DNSName, 'LoadBalancers.DNSName'),
    canonicalHostedZoneId: answered(found.CanonicalHostedZoneId, 'LoadBalancers.CanonicalHostedZoneId'),
    state: answered(found.State?.Code, 'LoadBalancers.State.Code'),
    listeners: listeners.map((l) => ({
      arn: answered(l.ListenerArn, 'Listeners.ListenerArn'),
      port: answered(l.Port, 'Listeners.Port'),
      protocol: answered(l.Protocol, 'Listeners.Protocol'),
    })),
    httpsRules: rules.filter((rule) => rule.IsDefault !== true).length,
    targetGroups: answered(groups.TargetGroups, 'TargetGroups').length,
  };
}

/** A member of ELBv2's answers about a load balancer. */
function answered<T>(value: T | undefined, member: string): T {
  return sent(value, { service: 'elasticloadbalancing', action: 'Describe' }, member);
}

const zoneCall = { service: 'route53', action: 'GetHostedZone' };

function toZone({ Config, Id, Name }: HostedZone): ZoneSeen {
  return {
    id: plainZoneId(sent(Id, zoneCall, 'Id')),
    name: plainName(sent(Name, zoneCall, 'Name')),
    // A zone that was made without a Config is answered without one.
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
