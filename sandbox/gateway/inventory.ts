import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListClustersCommand, ListServicesCommand, ListTaskDefinitionsCommand } from '@aws-sdk/client-ecs';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import type { ServiceStore } from './ecs/service-store.ts';
import { sortItems, type InventoryItem } from './inventory-diff.ts';
import type { TaskHost } from './task-host/task-host.ts';
import type { Upstream, UpstreamClients } from './upstream.ts';

export interface InventoryParts {
  readonly upstream: Upstream;
  readonly services: ServiceStore;
  readonly host: TaskHost;
}

/** Everything that exists, by kind, each kind by its own list call: tags may be missing on what leaks. */
export async function takeInventory(parts: InventoryParts): Promise<InventoryItem[]> {
  const clients = parts.upstream.scopes().map((scope) => parts.upstream.clients(scope));
  const listed = await Promise.all(clients.flatMap((c) => listers.map((list) => list(c))));
  return sortItems(unique([...listed.flat(), ...ownItems(parts.services), ...(await localListeners(parts.host))]));
}

type Lister = (clients: UpstreamClients) => Promise<InventoryItem[]>;

const listers: readonly Lister[] = [
  listServices,
  listTaskDefinitions,
  listTargetGroups,
  listRules,
  listRecords,
  listSecrets,
  listLogGroups,
];

/** What upstream does not know of: services that drain, and tasks. */
function ownItems(services: ServiceStore): InventoryItem[] {
  return services
    .all()
    .flatMap((service) => [
      ...(service.status === 'INACTIVE' ? [] : [{ kind: 'ecs-service', id: service.arn, detail: service.status }]),
      ...service.tasks
        .filter((t) => t.lastStatus !== 'STOPPED')
        .map((t) => ({ kind: 'ecs-task', id: t.arn, detail: service.name })),
    ]);
}

async function localListeners(host: TaskHost): Promise<InventoryItem[]> {
  const listeners = await host.listeners();
  return listeners.map((l) => ({ kind: 'task-listener', id: l.runId }));
}

async function listServices({ ecs }: UpstreamClients): Promise<InventoryItem[]> {
  const clusters = await pages(async (nextToken) => {
    const page = await ecs.send(new ListClustersCommand({ nextToken }));
    return { items: page.clusterArns ?? [], next: page.nextToken };
  });
  const perCluster = clusters.map((cluster) =>
    pages(async (nextToken) => {
      const page = await ecs.send(new ListServicesCommand({ cluster, nextToken }));
      return { items: page.serviceArns ?? [], next: page.nextToken };
    }),
  );
  return (await Promise.all(perCluster)).flat().map((id) => ({ kind: 'ecs-service', id, detail: 'ACTIVE' }));
}

async function listTaskDefinitions({ ecs }: UpstreamClients): Promise<InventoryItem[]> {
  const listed = (['ACTIVE', 'INACTIVE'] as const).map(async (status) => {
    const arns = await pages(async (nextToken) => {
      const page = await ecs.send(new ListTaskDefinitionsCommand({ status, nextToken }));
      return { items: page.taskDefinitionArns ?? [], next: page.nextToken };
    });
    return arns.map((id) => ({ kind: status === 'ACTIVE' ? 'task-definition' : 'task-definition-inactive', id }));
  });
  return (await Promise.all(listed)).flat();
}

async function listTargetGroups({ elb }: UpstreamClients): Promise<InventoryItem[]> {
  const groups = await pages(async (Marker) => {
    const page = await elb.send(new DescribeTargetGroupsCommand({ Marker }));
    return { items: page.TargetGroups ?? [], next: page.NextMarker };
  });
  return groups.map((g) => ({ kind: 'target-group', id: g.TargetGroupArn ?? '', detail: g.TargetGroupName }));
}

async function listRules({ elb }: UpstreamClients): Promise<InventoryItem[]> {
  const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
  const items: InventoryItem[] = [];
  for (const { LoadBalancerArn } of LoadBalancers) {
    const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn }));
    for (const { ListenerArn } of Listeners) {
      const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn }));
      const rules = Rules.filter((r) => !r.IsDefault);
      items.push(
        ...rules.map((r) => ({ kind: 'listener-rule', id: r.RuleArn ?? '', detail: `priority ${r.Priority ?? '?'}` })),
      );
    }
  }
  return items;
}

async function listRecords({ route53 }: UpstreamClients): Promise<InventoryItem[]> {
  const zones = await pages(async (Marker) => {
    const page = await route53.send(new ListHostedZonesCommand({ Marker }));
    return { items: page.HostedZones ?? [], next: page.NextMarker };
  });
  const perZone = zones.map(async (zone) => {
    const records = await pages<
      ResourceRecordSet,
      { readonly name: string | undefined; readonly type: ResourceRecordSet['Type'] }
    >(async (start) => {
      const page = await route53.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId: zone.Id,
          StartRecordName: start?.name,
          StartRecordType: start?.type,
        }),
      );
      const next = page.IsTruncated ? { name: page.NextRecordName, type: page.NextRecordType } : undefined;
      return { items: page.ResourceRecordSets ?? [], next };
    });
    return records.filter((r) => r.Type !== 'NS' && r.Type !== 'SOA').map((r) => recordItem(zone.Name ?? '', r));
  });
  return (await Promise.all(perZone)).flat();
}

function recordItem(zone: string, record: ResourceRecordSet): InventoryItem {
  const value = record.AliasTarget?.DNSName ?? (record.ResourceRecords ?? []).map((r) => r.Value ?? '').join(' ');
  return { kind: 'record-set', id: `${zone} ${record.Name ?? ''} ${record.Type ?? ''}`, detail: value };
}

async function listSecrets({ secrets }: UpstreamClients): Promise<InventoryItem[]> {
  const found = await pages(async (NextToken) => {
    const page = await secrets.send(new ListSecretsCommand({ NextToken, IncludePlannedDeletion: true }));
    return { items: page.SecretList ?? [], next: page.NextToken };
  });
  return found.map((s) => ({
    kind: 'secret',
    id: s.ARN ?? '',
    detail: s.DeletedDate ? 'scheduled for deletion' : 'kept',
  }));
}

async function listLogGroups({ logs }: UpstreamClients): Promise<InventoryItem[]> {
  const groups = await pages(async (nextToken) => {
    const page = await logs.send(new DescribeLogGroupsCommand({ nextToken }));
    return { items: page.logGroups ?? [], next: page.nextToken };
  });
  return groups.map((g) => ({ kind: 'log-group', id: g.arn ?? g.logGroupName ?? '' }));
}

/** All pages of a list call. */
async function pages<Item, Token = string>(
  read: (token: Token | undefined) => Promise<{ items: readonly Item[]; next: Token | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: Token | undefined;
  do {
    const page = await read(token);
    all.push(...page.items);
    token = page.next;
  } while (token !== undefined);
  return all;
}

/** Scopes of one account see the same global things (Route 53); our own word on a service comes last and wins. */
function unique(items: readonly InventoryItem[]): InventoryItem[] {
  return [...new Map(items.map((item) => [`${item.kind}\u0000${item.id}`, item])).values()];
}
