import type { Facts, InventoryItem } from '../item.ts';
import { ownerOfTags } from '../ownership.ts';
import type { AnswerTree } from './answer-tree.ts';
import { readPages, type AwsCaller } from './caller.ts';
import { chunks, facts, lastPart, tagged, tagsOf } from './facts.ts';
import type { OwnedService, OwnedThings } from './owned-things.ts';

/** Clusters, services, tasks and task definitions of every state. */
export async function listEcs(caller: AwsCaller, owned: OwnedThings): Promise<InventoryItem[]> {
  const { accountId, region } = caller.scope;
  const services = owned.services.filter((s) => s.scope.accountId === accountId && s.scope.region === region);
  const [tags, clusters, ...definitions] = await Promise.all([
    tagsOfScope(caller),
    listArns(caller, 'ListClusters', 'clusterArns'),
    ...definitionStates.map((state) => listDefinitions(caller, state)),
  ]);
  const inClusters = await Promise.all(
    clusters.flatMap((cluster) => [
      listServices(caller, cluster, services),
      listForeignTasks(caller, cluster, services),
    ]),
  );
  const items: InventoryItem[] = [
    ...clusters.map((id) => ({ kind: 'ecs:cluster', id, name: lastPart(id) })),
    ...services.flatMap((service) => [serviceItem(service), ...taskItems(service)]),
    ...inClusters.flat(),
    ...definitions.flat(),
  ];
  const serviceOf = new Map(services.flatMap(({ arn, tasks }) => tasks.map((task) => [task.arn, arn])));
  return items.map((item) => {
    const own = tagged(item, tags.get(item.id) ?? item.tags);
    // Tasks carry their service's tags, which the gateway's do not have.
    const owner = own.owner ?? ownerOfTags(tags.get(serviceOf.get(item.id) ?? ''));
    return owner ? { ...own, owner } : own;
  });
}

const definitionStates = ['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'] as const;

const keptInactive = 'ECS shows a deleted service as INACTIVE for a while';
const keptRevision = 'ECS keeps revisions that were deregistered';

async function listDefinitions(caller: AwsCaller, status: (typeof definitionStates)[number]): Promise<InventoryItem[]> {
  const arns = await listArns(caller, 'ListTaskDefinitions', 'taskDefinitionArns', { status });
  const isActive = status === 'ACTIVE';
  return Promise.all(
    arns.map(async (id) => ({
      kind: 'ecs:task-definition',
      id,
      name: lastPart(id),
      detail: { status },
      ...(isActive ? { settings: await settingsOf(caller, id) } : { residue: keptRevision }),
    })),
  );
}

/** A revision never changes: each is described once. */
const described = new Map<string, Promise<Facts>>();

function settingsOf(caller: AwsCaller, taskDefinition: string): Promise<Facts> {
  const key = `${caller.endpoint} ${taskDefinition}`;
  const known = described.get(key) ?? describeSettings(caller, taskDefinition);
  described.set(key, known);
  known.catch(() => described.delete(key));
  return known;
}

async function describeSettings(caller: AwsCaller, taskDefinition: string): Promise<Facts> {
  const definition = (await call(caller, 'DescribeTaskDefinition', { taskDefinition })).at('taskDefinition');
  const containers = definition.list('containerDefinitions').map((container) => {
    const environment = container.list('environment').map((one) => `${one.text('name')}=${one.text('value')}`);
    const secrets = container.list('secrets').map((one) => one.text('name'));
    return [container.text('name'), container.text('image'), ...environment.sort(), ...secrets.sort()].join(' ');
  });
  return facts({
    cpu: definition.text('cpu'),
    memory: definition.text('memory'),
    containers: containers.sort().join('; '),
  });
}

/** Services that the gateway does not run: made past it, or before it started. */
async function listServices(
  caller: AwsCaller,
  cluster: string,
  known: readonly OwnedService[],
): Promise<InventoryItem[]> {
  const arns = await listArns(caller, 'ListServices', 'serviceArns', { cluster });
  const isKnown = new Set(known.filter((s) => s.status !== 'INACTIVE').map((s) => s.arn));
  const described = await Promise.all(
    chunks(
      arns.filter((arn) => !isKnown.has(arn)),
      10, // as many as DescribeServices takes
    ).map((services) => call(caller, 'DescribeServices', { cluster, services, include: ['TAGS'] })),
  );
  return described.flatMap((answer) => answer.list('services')).map(describedService);
}

function describedService(service: AnswerTree): InventoryItem {
  const names = ['status', 'desiredCount', 'runningCount'];
  const detail = Object.fromEntries(names.map((name) => [name, service.text(name)]));
  const id = service.text('serviceArn');
  return {
    kind: 'ecs:service',
    id,
    name: serviceName(id),
    detail: facts({ ...detail, taskDefinition: lastPart(service.text('taskDefinition')) }),
    tags: tagsOf(service.list('tags')),
  };
}

function serviceItem(service: OwnedService): InventoryItem {
  const { arn, status, desiredCount, taskDefinition, tasks } = service;
  const runningCount = tasks.filter((t) => t.status === 'RUNNING').length;
  return {
    kind: 'ecs:service',
    id: arn,
    name: serviceName(arn),
    detail: facts({ status, desiredCount, runningCount, taskDefinition: lastPart(taskDefinition) }),
    ...(status === 'INACTIVE' ? { residue: keptInactive } : {}),
  };
}

function taskItems({ arn, tasks }: OwnedService): InventoryItem[] {
  return tasks
    .filter((task) => task.status !== 'STOPPED')
    .map((task) => ({
      kind: 'ecs:task',
      id: task.arn,
      name: lastPart(task.arn),
      detail: facts({
        service: serviceName(arn),
        status: task.status,
        taskDefinition: lastPart(task.taskDefinition),
      }),
    }));
}

/** Tasks that belong to no service of the gateway. */
async function listForeignTasks(
  caller: AwsCaller,
  cluster: string,
  known: readonly OwnedService[],
): Promise<InventoryItem[]> {
  const arns = await listArns(caller, 'ListTasks', 'taskArns', { cluster });
  const isKnown = new Set(known.flatMap((s) => s.tasks.map((t) => t.arn)));
  return arns
    .filter((arn) => !isKnown.has(arn))
    .map((id) => ({ kind: 'ecs:task', id, name: lastPart(id), detail: { cluster: lastPart(cluster) } }));
}

/** Tags of everything in ECS by ARN, in one call where describing each revision would be hundreds. */
async function tagsOfScope(caller: AwsCaller): Promise<Map<string, Facts>> {
  const answers = await readPages(
    (PaginationToken) =>
      caller.read({
        protocol: 'json',
        service: 'tagging',
        target: 'ResourceGroupsTaggingAPI_20170126.GetResources',
        input: { ResourceTypeFilters: ['ecs'], ResourcesPerPage: 100, PaginationToken },
      }),
    (answer) => answer.text('PaginationToken') || undefined,
  );
  const mappings = answers.flatMap((answer) => answer.list('ResourceTagMappingList'));
  return new Map(mappings.map((m) => [m.text('ResourceARN'), tagsOf(m.list('Tags'))]));
}

async function listArns(caller: AwsCaller, action: string, list: string, input: object = {}): Promise<string[]> {
  const answers = await readPages(
    (nextToken) => call(caller, action, { ...input, nextToken, maxResults: 100 }),
    (answer) => answer.text('nextToken') || undefined,
  );
  return answers.flatMap((answer) => answer.list(list).map((arn) => arn.value));
}

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  const target = `AmazonEC2ContainerServiceV20141113.${action}`;
  return caller.read({ protocol: 'json', service: 'ecs', target, input });
}

/** `cluster/name` of a service's ARN. */
export function serviceName(arn: string): string {
  return arn.split('/').slice(1).join('/');
}
