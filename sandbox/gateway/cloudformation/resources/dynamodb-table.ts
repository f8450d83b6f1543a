import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { indexChangesOf } from './dynamodb-indexes.ts';
import { tableShape, type TableProperties } from './dynamodb-table-shape.ts';
import { HandlerError, readProperties, type ResourceCall, type ResourceType } from './type.ts';

/** `AWS::DynamoDB::Table`: by the service's own calls, which the emulator answers as AWS does. */
export const dynamodbTable: ResourceType = {
  known: Object.keys(tableShape.shape),
  replacing: ['TableName', 'KeySchema', 'LocalSecondaryIndexes'],
  named: 'TableName',
  isTagged: true,
  async create(call) {
    const wanted = readProperties(tableShape, call);
    const client = call.clients.dynamodb;
    const name = wanted.TableName ?? call.generatedName;
    try {
      await client.send(new CreateTableCommand(creationOf(name, wanted, call.tags)));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
      throw new HandlerError(
        'AlreadyExists',
        `Resource of type 'AWS::DynamoDB::Table' with identifier '${name}' already exists.`,
      );
    }
    await setBesides(client, name, wanted, {});
    return made(client, name);
  },
  async update(call) {
    const wanted = readProperties(tableShape, call);
    const before = readProperties(tableShape, { properties: call.before });
    const { physicalId: name, clients } = call;
    const change = changeOf(wanted, before);
    if (Object.keys(change).length > 0)
      await clients.dynamodb.send(
        new UpdateTableCommand({ TableName: name, AttributeDefinitions: wanted.AttributeDefinitions, ...change }),
      );
    await setBesides(clients.dynamodb, name, wanted, before);
    const { TableArn } = await describe(clients.dynamodb, name);
    await clients.dynamodb.send(new TagResourceCommand({ ResourceArn: TableArn, Tags: tagsOf(wanted, call.tags) }));
    return made(clients.dynamodb, name);
  },
  async remove({ clients, physicalId }) {
    try {
      await clients.dynamodb.send(new DeleteTableCommand({ TableName: physicalId }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  },
};

function creationOf(TableName: string, wanted: TableProperties, tags: ResourceCall['tags']): CreateTableCommandInput {
  const { PointInTimeRecoverySpecification: _recovery, TimeToLiveSpecification: _lifetime, ...rest } = wanted;
  const { SSESpecification, StreamSpecification } = wanted;
  refuseUnusedAttributes(wanted);
  return {
    ...rest,
    TableName,
    BillingMode: wanted.BillingMode ?? 'PROVISIONED',
    SSESpecification: SSESpecification && encryptionOf(SSESpecification),
    StreamSpecification: StreamSpecification && { StreamEnabled: true, ...StreamSpecification },
    Tags: tagsOf(wanted, tags),
  };
}

function encryptionOf({ SSEEnabled, ...rest }: NonNullable<TableProperties['SSESpecification']>) {
  return { Enabled: SSEEnabled, ...rest };
}

/** DynamoDB refuses attributes that no key is made of, and keys without their attribute. */
function refuseUnusedAttributes({
  AttributeDefinitions,
  GlobalSecondaryIndexes = [],
  KeySchema,
  LocalSecondaryIndexes = [],
}: TableProperties): void {
  const keys = [{ KeySchema }, ...GlobalSecondaryIndexes, ...LocalSecondaryIndexes].flatMap((of) =>
    of.KeySchema.map(({ AttributeName }) => AttributeName),
  );
  const defined = AttributeDefinitions.map(({ AttributeName }) => AttributeName);
  const same = isDeepStrictEqual([...new Set(keys)].sort(), [...new Set(defined)].sort());
  if (same) return;
  throw new HandlerError(
    'InvalidRequest',
    `One or more parameter values were invalid: Some AttributeDefinitions are not used, or some key attributes are not defined. AttributeDefinitions: [${defined.join(', ')}], keys used: [${[...new Set(keys)].join(', ')}]`,
  );
}

/** What UpdateTable is asked for; empty when nothing of its changes. */
function changeOf(wanted: TableProperties, before: TableProperties) {
  const differs = (field: keyof TableProperties) => !isDeepStrictEqual(wanted[field], before[field]);
  const { BillingMode, DeletionProtectionEnabled, ProvisionedThroughput, SSESpecification, StreamSpecification } =
    wanted;
  const indexes = indexChangesOf(wanted.GlobalSecondaryIndexes, before.GlobalSecondaryIndexes);
  return {
    ...(differs('BillingMode') && { BillingMode: BillingMode ?? 'PROVISIONED' }),
    ...(differs('ProvisionedThroughput') && ProvisionedThroughput && { ProvisionedThroughput }),
    ...(differs('DeletionProtectionEnabled') && { DeletionProtectionEnabled: DeletionProtectionEnabled ?? false }),
    ...(differs('SSESpecification') && { SSESpecification: encryptionOf(SSESpecification ?? { SSEEnabled: false }) }),
    ...(differs('TableClass') && { TableClass: wanted.TableClass ?? 'STANDARD' }),
    ...(differs('StreamSpecification') && {
      StreamSpecification: StreamSpecification
        ? { StreamEnabled: true, ...StreamSpecification }
        : { StreamEnabled: false },
    }),
    ...(indexes.length > 0 && { GlobalSecondaryIndexUpdates: indexes }),
  } as const;
}

/** What has calls of its own. */
async function setBesides(
  client: DynamoDBClient,
  TableName: string,
  wanted: TableProperties,
  before: Partial<TableProperties>,
): Promise<void> {
  const recovery = wanted.PointInTimeRecoverySpecification;
  if (!isDeepStrictEqual(recovery, before.PointInTimeRecoverySpecification))
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: recovery ?? { PointInTimeRecoveryEnabled: false },
      }),
    );
  const [now, earlier] = [wanted.TimeToLiveSpecification, before.TimeToLiveSpecification];
  if (isDeepStrictEqual(now, earlier)) return;
  const specification = now ?? (earlier && { ...earlier, Enabled: false });
  if (specification)
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: specification }));
}

function tagsOf({ Tags = [] }: TableProperties, tags: ResourceCall['tags']) {
  const own = Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
  return Object.entries({ ...tags, ...own }).map(([Key, Value]) => ({ Key, Value }));
}

async function describe(client: DynamoDBClient, TableName: string): Promise<TableDescription> {
  const { Table = {} } = await client.send(new DescribeTableCommand({ TableName }));
  return Table;
}

async function made(client: DynamoDBClient, name: string) {
  const { TableArn = '', LatestStreamArn } = await describe(client, name);
  const attributes: Record<string, string> = { Arn: TableArn };
  if (LatestStreamArn !== undefined) attributes['StreamArn'] = LatestStreamArn;
  return { physicalId: name, attributes };
}
