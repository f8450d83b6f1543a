import { createLogs } from '../src/aws/cloudwatch-logs.ts';
import {
  createClients,
  type ClientClass,
  type ClientOptions,
  type EquippableClient,
  type FurtherClientOptions,
} from '../src/aws/clients.ts';
import { createEcs } from '../src/aws/ecs.ts';
import { createLoadBalancing } from '../src/aws/elbv2.ts';
import { createInventory } from '../src/aws/inventory/inventory.ts';
import { createPacing } from '../src/aws/pacing.ts';
import { createDns } from '../src/aws/route53.ts';
import { createSecrets } from '../src/aws/secrets-manager.ts';
import type { Cell } from '../src/contracts/platform.ts';
import type { SweepAws } from '../src/kinds/framework/resource-type.ts';

/** Things on a page: who reads one page alone misses some of three. */
export const PAGE_SIZE = 2;

/** AWS of a cell, whose lists come in pages of {@link PAGE_SIZE}, as those of a full account come in larger ones. */
export function awsInSmallPages(cell: Cell, options: ClientOptions): SweepAws & { destroy(): void } {
  const clients = createClients(cell, options, createPacing({ factor: Infinity })(cell));
  const { ecs, elbv2, logs, route53, secretsManager } = clients;
  for (const client of [ecs, elbv2, logs, route53, secretsManager]) addPaging(client);
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
  DescribeTargetGroupsCommand: 'PageSize',
  ListQueuesCommand: 'MaxResults',
  ListResourceRecordSetsCommand: 'MaxItems',
  ListSecretsCommand: 'MaxResults',
  ListServicesCommand: 'maxResults',
  ListTaskDefinitionsCommand: 'maxResults',
  DescribeParametersCommand: 'MaxResults',
};

type Fields = Readonly<Record<string, unknown>>;
type Handler = (args: { readonly input: Fields }) => Promise<{ readonly output: Fields }>;

function addPaging(client: EquippableClient): void {
  const middleware =
    (next: Handler, { commandName = '' }: { readonly commandName?: string }): Handler =>
    (args) => {
      const of = pageFields.find(({ size }) => args.input[size] !== undefined || usualSize[commandName] === size);
      return of ? onePage(next, args.input, of) : next(args);
    };
  client.middlewareStack.add(middleware as never, { step: 'initialize', name: 'tenantrySmallPages' } as never);
}

const OWN_TOKEN = /^small-page-(\d+)$/;

/** By the service's own paging; where an emulator sends all of it at once, cut here. */
async function onePage(next: Handler, input: Fields, fields: (typeof pageFields)[number]) {
  const own = OWN_TOKEN.exec(String(input[fields.token]))?.[1];
  const from = own === undefined ? 0 : Number(own);
  const asked = { ...input, [fields.size]: PAGE_SIZE, ...(own !== undefined && { [fields.token]: undefined }) };
  const answer = await next({ input: asked });
  const [[field, items] = []] = Object.entries(answer.output).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  if (field === undefined || items === undefined || items.length <= PAGE_SIZE) return answer;
  const until = from + PAGE_SIZE;
  const rest = until < items.length ? { [fields.next]: `small-page-${until}` } : {};
  return { ...answer, output: { ...answer.output, [field]: items.slice(from, until), ...rest } };
}
