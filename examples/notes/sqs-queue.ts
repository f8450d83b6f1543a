import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  allPages,
  changedFields,
  defineKind,
  isAwsError,
  StepError,
  text,
  z,
  type CellAccess,
  type Found,
  type SweptItem,
  type SweptType,
} from 'tenantry';

const type = 'sqs:queue';
const missing = ['QueueDoesNotExist'];
/** A type has one description: another kind that makes queues imports this one. */
export const swept = sweptQueue();

interface Queue extends Found {
  /** Its URL: what every call of SQS names it by. */
  readonly physicalId: string;
  readonly arn: string;
  readonly visibilitySeconds: number;
}

/** A queue for a tenant's jobs: a kind of its own, because Tenantry brings none. */
export const sqsQueue = defineKind({
  name: 'sqs-queue',
  type,
  noun: 'queue',
  spec: z.strictObject({ name: text, visibilitySeconds: z.int().min(0).max(43_200) }),
  outputs: z.strictObject({ url: z.string(), arn: z.string() }),
  swept,
  changeable: ['visibilitySeconds'],
  holdsData: true,
  deletesByName: true,
  errors: { retryable: ['QueueDeletedRecently'], missing },
  permissions: [
    'sqs:GetQueueUrl',
    'sqs:GetQueueAttributes',
    'sqs:ListQueueTags',
    'sqs:CreateQueue',
    'sqs:TagQueue',
    'sqs:SetQueueAttributes',
    'sqs:DeleteQueue',
  ],
  inCell: ({ name }, within) => within.tenantName(name),
  namedBy: ({ name }) => name,
  nameOf: ({ spec }) => spec.name,
  async find({ aws }, name) {
    const { QueueUrl } = await sqs(aws).send(new GetQueueUrlCommand({ QueueName: name }));
    return QueueUrl === undefined ? undefined : lookAt(aws, QueueUrl);
  },
  async create({ aws, spec, tags, tenant }, name): Promise<Queue> {
    const Attributes = { VisibilityTimeout: String(spec.visibilitySeconds) };
    const { QueueUrl = '' } = await sqs(aws).send(new CreateQueueCommand({ QueueName: name, Attributes, tags }));
    const made = await lookAt(aws, QueueUrl);
    // SQS answers with a queue that somebody else made a moment ago, when it has the same attributes.
    if (made.tags['tenantry:tenant-id'] !== tenant.id)
      throw new StepError('CONFLICT_RETRYABLE', `queue "${name}" was made by somebody else meanwhile`);
    return made;
  },
  async converge({ aws, spec }, { physicalId: QueueUrl, visibilitySeconds }: Queue) {
    if (visibilitySeconds === spec.visibilitySeconds) return;
    const Attributes = { VisibilityTimeout: String(spec.visibilitySeconds) };
    await sqs(aws).send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
  },
  differs: ({ spec }, { visibilitySeconds }) =>
    changedFields({ visibilitySeconds: [spec.visibilitySeconds, visibilitySeconds] }),
  outputsOf: (_, { physicalId: url, arn }) => ({ url, arn }),
  idIn: ({ url }) => url,
  async remove({ aws }, QueueUrl) {
    await sqs(aws).send(new DeleteQueueCommand({ QueueUrl }));
  },
});

type Aws = Pick<CellAccess['aws'], 'client'>;

/** The cell's client, with its region, role, endpoint, guard and time limits. */
function sqs(aws: Aws): SQSClient {
  // Every call goes to the endpoint of the cell, not to the host that a queue's URL names.
  return aws.client(SQSClient, { useQueueUrlAsEndpoint: false });
}

async function lookAt(aws: Aws, QueueUrl: string): Promise<Queue> {
  const { Attributes = {} } = await sqs(aws).send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return {
    physicalId: QueueUrl,
    arn: Attributes.QueueArn ?? '',
    visibilitySeconds: Number(Attributes.VisibilityTimeout),
    createdAt: new Date(Number(Attributes.CreatedTimestamp) * 1_000),
    tags: await tagsOf(aws, QueueUrl),
  };
}

async function tagsOf(aws: Aws, QueueUrl: string): Promise<Readonly<Record<string, string>>> {
  const { Tags = {} } = await sqs(aws).send(new ListQueueTagsCommand({ QueueUrl }));
  return Tags;
}

/** How the sweep sees queues: every one of the cell, whoever made it. */
function sweptQueue(): SweptType {
  return {
    named: 'slug',
    holdsData: true,
    isFoundByName: true,
    list: ({ aws }) => ({
      async list(isHeld) {
        const items: SweptItem[] = [];
        for (const url of await urlsOf(aws)) {
          // Tags cost a call each: only of those that the ledger does not hold.
          const item = isHeld(type, nameIn(url), url) ? itemOf(url, undefined) : await find(aws, url);
          if (item) items.push(item);
        }
        return items;
      },
      find: ({ physicalId }) => find(aws, physicalId),
    }),
    async takeAway({ aws, item }) {
      await sqs(aws).send(new DeleteQueueCommand({ QueueUrl: item.physicalId }));
      return 'the queue was deleted';
    },
  };
}

function urlsOf(aws: Aws): Promise<string[]> {
  return allPages(async (NextToken: string | undefined) => {
    const page = await sqs(aws).send(new ListQueuesCommand({ NextToken, MaxResults: 1_000 }));
    return { items: page.QueueUrls ?? [], next: page.NextToken };
  });
}

async function find(aws: Aws, url: string): Promise<SweptItem | undefined> {
  try {
    return itemOf(url, await tagsOf(aws, url));
  } catch (error) {
    if (isAwsError(error, ...missing)) return undefined;
    throw error;
  }
}

function itemOf(url: string, tags: SweptItem['tags']): SweptItem {
  const base = { type, physicalId: url, name: nameIn(url), tags, createdAt: undefined, passing: undefined };
  return { ...base, seen: { url, tags } };
}

/** A queue's URL ends in its name. */
function nameIn(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
