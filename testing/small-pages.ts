import { randomUUID } from 'node:crypto';
import { createStacks } from '../src/aws/cloudformation.ts';
import { createLogs } from '../src/aws/cloudwatch-logs.ts';
import {
  createClients,
  type ClientClass,
  type ClientOptions,
  type EquippableClient,
  type FurtherClientOptions,
} from '../src/aws/clients.ts';
import { createItems } from '../src/aws/dynamodb-items.ts';
import { createPartitions } from '../src/aws/dynamodb-partitions.ts';
import { createEcs } from '../src/aws/ecs.ts';
import { createLoadBalancing } from '../src/aws/elbv2.ts';
import { createInventory } from '../src/aws/inventory/inventory.ts';
import { createPacing } from '../src/aws/pacing.ts';
import { createDns } from '../src/aws/route53.ts';
import { createSecrets } from '../src/aws/secrets-manager.ts';
import { createMarkedParameters } from '../src/aws/ssm-marked.ts';
import type { Cell } from '../src/contracts/platform.ts';
import type { SweepAws } from '../src/kinds/framework/resource-type.ts';

/** Things on a page: who reads one page alone misses some of three. */
export const PAGE_SIZE = 2;

/** AWS of a cell, whose lists come in pages of {@link PAGE_SIZE}, as those of a full account come in larger ones. */
export function awsInSmallPages(cell: Cell, options: ClientOptions): SweepAws & { destroy(): void } {
  const clients = createClients(cell, options, createPacing({ factor: Infinity })(cell));
  const { cloudformation, dynamodb, ecs, elbv2, logs, route53, secretsManager, ssm } = clients;
  for (const client of [cloudformation, dynamodb, ecs, elbv2, logs, route53, secretsManager, ssm]) addPaging(client);
  const paged = new Set<unknown>();
  return {
    client: <C extends EquippableClient>(Client: ClientClass<C>, more?: FurtherClientOptions) => {
      const client = clients.clientOf(Client, more);
      if (!paged.has(client)) addPaging(client);
      paged.add(client);
      return client;
    },
    inventory: createInventory(clients, cell),
    dns: createDns(route53),
    loadBalancing: createLoadBalancing(elbv2),
    ecs: createEcs(ecs, cell.cluster),
    logs: createLogs(logs),
    secrets: createSecrets(secretsManager),
    markedParameters: createMarkedParameters(ssm),
    items: createItems(dynamodb),
    partitions: createPartitions(dynamodb),
    stacks: createStacks(cloudformation, dynamodb, cell.region),
    destroy: () => clients.destroy(),
  };
}

/** Fields that say how much a page holds, each with those by which the next page is asked for. */
const pageFields = [
  { size: 'MaxResults', token: 'NextToken', next: 'NextToken' },
  { size: 'maxResults', token: 'nextToken', next: 'nextToken' },
  { size: 'limit', token: 'nextToken', next: 'nextToken' },
  { size: 'Limit', token: 'NextToken', next: 'NextToken' },
  { size: 'PageSize', token: 'Marker', next: 'NextMarker' },
  { size: 'MaxRecords', token: 'Marker', next: 'Marker' },
  { size: 'MaxItems', token: 'Marker', next: 'NextMarker' },
] as const;

/** Of list calls that may leave it out; another one that does comes as it is. */
const usualSize: Readonly<Record<string, (typeof pageFields)[number]['size']>> = {
  DescribeLogGroupsCommand: 'limit',
  DescribeRulesCommand: 'PageSize',
  DescribeStacksCommand: 'MaxResults',
  DescribeTargetGroupsCommand: 'PageSize',
  ListQueuesCommand: 'MaxResults',
  ListSecretsCommand: 'MaxResults',
  ListServicesCommand: 'maxResults',
  ListTaskDefinitionsCommand: 'maxResults',
  DescribeParametersCommand: 'MaxResults',
};

type Fields = Readonly<Record<string, unknown>>;
interface Answer {
  readonly output: Fields;
}
type Handler = (args: { readonly input: Fields }) => Promise<Answer>;

/** What they are asked for next by is a name or a key: their own pages skip nothing that goes meanwhile, as those of an offset would. */
const pagedByKey: Readonly<Record<string, Fields>> = {
  ListResourceRecordSetsCommand: { MaxItems: PAGE_SIZE },
  ScanCommand: { Limit: PAGE_SIZE },
  QueryCommand: { Limit: PAGE_SIZE },
};

function addPaging(client: EquippableClient): void {
  const rests = new Map<string, Rest>();
  const middleware =
    (next: Handler, { commandName = '' }: { readonly commandName?: string }): Handler =>
    (args) => {
      const { input } = args;
      const ownSize = pagedByKey[commandName];
      if (ownSize) return next({ ...args, input: { ...input, ...ownSize } });
      const fields = pageFields.find(({ size }) => input[size] !== undefined || usualSize[commandName] === size);
      return fields ? onePage(rests, fields, args, next) : next(args);
    };
  client.middlewareStack.add(middleware as never, { step: 'initialize', name: 'tenantrySmallPages' } as never);
}

/** What is left of an answer. */
interface Rest {
  readonly answer: Answer;
  readonly field: string;
  readonly items: readonly unknown[];
}

/** Cuts the service's own pages: an emulator may have none, or skip what moves when something before it goes. */
async function onePage(
  rests: Map<string, Rest>,
  { next, token }: (typeof pageFields)[number],
  args: Parameters<Handler>[0],
  ask: Handler,
): Promise<Answer> {
  const rest = rests.get(String(args.input[token])) ?? restOf(await ask(args));
  if ('output' in rest) return rest;
  const { answer, field, items } = rest;
  const page = { ...answer.output, [field]: items.slice(0, PAGE_SIZE) };
  if (items.length <= PAGE_SIZE) return { ...answer, output: page };
  const own = `small-page-${randomUUID()}`;
  rests.set(own, { answer, field, items: items.slice(PAGE_SIZE) });
  return { ...answer, output: { ...page, [next]: own } };
}

/** The answer itself where it lists nothing. */
function restOf(answer: Answer): Rest | Answer {
  const [field, items] = Object.entries(answer.output).find(([, value]) => Array.isArray(value)) ?? [];
  return field === undefined ? answer : { answer, field, items: items as unknown[] };
}
