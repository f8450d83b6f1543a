import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  SSMClient,
  type Tag,
} from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { findOperation } from '../../src/db/operations.ts';
import { accountFence } from '../../src/kinds/account-fence/kind.ts';
import { dynamodbItem } from '../../src/kinds/dynamodb-item/kind.ts';
import { dynamodbRows } from '../../src/kinds/dynamodb-rows/kind.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import { ssmParameters } from '../../src/kinds/ssm-parameters/kind.ts';
import { ssmStatus } from '../../src/kinds/ssm-status/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeKinds, sampleOf, type HandChange, type HandPlace, type Sample } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

const configOf = ({ cell, credentials, endpointUrl }: HandPlace) => ({
  endpoint: endpointUrl,
  region: cell.region,
  credentials,
});

const otherValue: HandChange = {
  name: 'a parameter was given another value and another tag',
  async change(at) {
    const ssm = new SSMClient(configOf(at));
    const Name = `${String(at.outputs['path'])}cloud-type`;
    await ssm.send(new PutParameterCommand({ Name, Value: 'by hand', Type: 'String', Overwrite: true }));
    const Tags = [{ Key: 'team', Value: 'by hand' }];
    await ssm.send(new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: Name, Tags }));
  },
};

/** With a secret of another step, and a status that others write. */
const parameterSet: Sample = {
  name: 'write_parameters',
  product: moamalat,
  steps: (request) => [
    ...sampleOf(moamalat, 'create_schema').steps(request),
    {
      id: 'write_parameters',
      kind: 'ssm-parameters',
      needs: ['create_schema'],
      spec: {
        path: `/accounts/${request.tenantId}/`,
        parameters: {
          'cloud-type': {},
          'provisioning-status': { isInitial: true },
          'dynamodb/table-name': { type: 'String' },
          'database/password': { type: 'SecureString', keyId: 'alias/accounts' },
        },
        values: {
          'cloud-type': 'public',
          'provisioning-status': 'creating',
          'dynamodb/table-name': { ref: 'create_schema.schema' },
          'database/password': { ref: 'create_schema.secretArn' },
        },
        tags: { team: 'accounts', stage: 'first' },
      },
    },
  ],
  revised: (step) => ({
    ...step,
    spec: {
      ...step.spec,
      values: { ...(step.spec['values'] as object), 'cloud-type': 'private' },
      tags: { team: 'others' },
    },
  }),
  freeFields: ['values', 'tags'],
  handChanges: [otherValue],
};

const otherStatus: HandChange = {
  name: 'the status was written over',
  change: (at) =>
    new SSMClient(configOf(at)).send(
      new PutParameterCommand({ Name: String(at.outputs['name']), Value: 'failed', Type: 'String', Overwrite: true }),
    ),
};

/** Its tags are those of another step. */
function withoutMark(): HandChange {
  let marks: Tag[] = [];
  const onTags = (at: HandPlace) => ({ ResourceType: 'Parameter', ResourceId: String(at.outputs['name']) }) as const;
  return {
    name: 'the parameter was made anew by hand, without its mark',
    async change(at) {
      const ssm = new SSMClient(configOf(at));
      ({ TagList: marks = [] } = await ssm.send(new ListTagsForResourceCommand(onTags(at))));
      const Name = onTags(at).ResourceId;
      await ssm.send(new DeleteParameterCommand({ Name }));
      await ssm.send(new PutParameterCommand({ Name, Value: 'active', Type: 'String' }));
    },
    takeBack: (at) => new SSMClient(configOf(at)).send(new AddTagsToResourceCommand({ ...onTags(at), Tags: marks })),
  };
}

/** A word in a parameter of another step. */
const status: Sample = {
  name: 'activate',
  product: moamalat,
  steps: ({ tenantId }) => [
    {
      id: 'mark',
      kind: 'ssm-parameters',
      needs: [],
      spec: {
        path: `/accounts/${tenantId}/`,
        parameters: { 'provisioning-status': { isInitial: true }, 'provisioning-error': { isInitial: true } },
        values: { 'provisioning-status': 'creating', 'provisioning-error': 'none' },
      },
    },
    {
      id: 'activate',
      kind: 'ssm-status',
      needs: ['mark'],
      spec: {
        path: `/accounts/${tenantId}/`,
        statusParameter: 'provisioning-status',
        errorParameter: 'provisioning-error',
        ...{ ready: 'active', failed: 'failed', removing: 'deleting' },
      },
    },
  ],
  revised: (step) => ({ ...step, spec: { ...step.spec, ready: 'frozen' } }),
  handChanges: [otherStatus, withoutMark()],
};

const changedItem = (name: string, UpdateExpression: string, names: Record<string, string>): HandChange => ({
  name,
  async change(at) {
    const [table = '', PK = ''] = String(at.outputs['name']).split('/');
    await new DynamoDBClient(configOf(at)).send(
      new UpdateItemCommand({
        TableName: table,
        Key: { PK: { S: PK }, SK: { S: 'METADATA/1' } },
        UpdateExpression,
        ExpressionAttributeNames: names,
        ...(UpdateExpression.includes(':') && { ExpressionAttributeValues: { ':by': { S: 'by hand' } } }),
      }),
    );
  },
});

/** In a table that tenants share. */
const metadata: Sample = {
  name: 'put_metadata',
  product: moamalat,
  steps: (request) => [
    ...sampleOf(moamalat, 'validate').steps(request),
    {
      id: 'put_metadata',
      kind: 'dynamodb-item',
      needs: ['validate'],
      spec: {
        table: request.cell.sharedTables?.[0],
        partitionKey: { name: 'PK', value: `ACCOUNT#${request.tenantId}` },
        sortKey: { name: 'SK', value: 'METADATA/1' },
        attributes: {
          name: request.slug,
          size: 3,
          licenses: [{ productId: 'p-1', seats: 5, isActive: true, note: null }],
          address: { city: 'Riyadh' },
        },
        initial: { status: 'creating' },
      },
    },
  ],
  revised: (step) => ({
    ...step,
    spec: { ...step.spec, attributes: { name: 'renamed', size: 4, licenses: [], plan: 'large' } },
  }),
  freeFields: ['attributes', 'initial'],
  handChanges: [
    changedItem('an attribute of it was changed', 'SET #name = :by', { '#name': 'name' }),
    changedItem('attributes of it were taken off', 'REMOVE #size, #address', {
      '#size': 'size',
      '#address': 'address',
    }),
  ],
};

const keysOf = (spec: Readonly<Record<string, unknown>>) =>
  Array.from({ length: 30 }, (_, i) => ({ PK: { S: String(spec['partition']) }, SK: { S: `ORDER#${i}` } }));

/** What a service writes into the tenant's partition: it bears no mark, and the step that deletes it did not make it. */
const writtenRows: Kind = {
  name: 'written-rows',
  spec: z.strictObject({ table: z.string(), partition: z.string() }),
  outputs: z.strictObject({}),
  types: {},
  permissions: ['dynamodb:BatchWriteItem'],
  inCell: () => [],
  physicalNames: () => [],
  resources: () => [],
  async ensure({ aws, spec }) {
    const rows = keysOf(spec).map((key, i) => ({ ...key, total: { N: String(i) } }));
    await aws.partitions.putRows(String(spec['table']), rows);
    return { status: 'ready', outputs: {} };
  },
  observe: () => Promise.resolve({ status: 'ready', detail: 'rows were written' }),
  // A deletion of the tenant takes them by the step `rows`; an undo of its creation leaves them, and the case with them.
  async remove({ aws, db, notOurs, operation, spec }) {
    const asked = await findOperation(db, operation.id);
    if (asked?.type !== 'deprovision') await aws.partitions.removeRows(String(spec['table']), keysOf(spec));
    return { status: 'removed', others: await notOurs([]) };
  },
};

/** Beside an item of the control plane in the same partition, which stays. */
const rows: Sample = {
  name: 'rows',
  product: moamalat,
  steps: (request) => {
    const table = request.cell.sharedTables?.[0];
    const partition = `ACCOUNT#${request.tenantId}`;
    return [
      ...metadata.steps(request),
      { id: 'write', kind: 'written-rows', needs: ['put_metadata'], spec: { table, partition } },
      {
        id: 'rows',
        kind: 'dynamodb-rows',
        needs: ['write'],
        spec: { table, partitionKey: { name: 'PK', value: partition }, except: 'mark' },
      },
    ];
  },
  holdsData: true,
};

/** The table that an account's rows are moved to. */
const ownTable: Kind = {
  name: 'own-table',
  spec: z.strictObject({ table: z.string() }),
  outputs: z.strictObject({}),
  types: {},
  permissions: ['dynamodb:DescribeTable', 'dynamodb:CreateTable', 'dynamodb:DeleteTable'],
  inCell: () => [],
  physicalNames: () => [],
  resources: () => [],
  async ensure({ aws, spec }) {
    const [TableName, keys] = [String(spec['table']), ['PK', 'SK'] as const];
    const create = new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
    });
    if (!(await aws.partitions.findKeys(TableName))) await aws.client(DynamoDBClient).send(create);
    return { status: 'ready', outputs: {} };
  },
  observe: () => Promise.resolve({ status: 'ready', detail: 'the table is there' }),
  async remove({ aws, notOurs, spec }) {
    const TableName = String(spec['table']);
    if (await aws.partitions.findKeys(TableName))
      await aws.client(DynamoDBClient).send(new DeleteTableCommand({ TableName }));
    return { status: 'removed', others: await notOurs([]) };
  },
};

/** Where a move of an account's rows is agreed on, in the table that they are in. */
const fence: Sample = {
  name: 'fence',
  product: moamalat,
  steps: (request) => [
    ...sampleOf(moamalat, 'validate').steps(request),
    {
      id: 'own_table',
      kind: 'own-table',
      needs: ['validate'],
      spec: { table: `app-prod-account-${request.tenantId}` },
    },
    {
      id: 'fence',
      kind: 'account-fence',
      needs: ['own_table'],
      spec: { table: request.cell.sharedTables?.[0], toTable: `app-prod-account-${request.tenantId}` },
    },
  ],
  handChanges: [
    {
      name: 'it is of another move',
      async change(at) {
        const [table = '', PK = '', SK = ''] = String(at.outputs['name']).split('/');
        await new DynamoDBClient(configOf(at)).send(
          new UpdateItemCommand({
            TableName: table,
            Key: { PK: { S: PK }, SK: { S: SK } },
            UpdateExpression: 'SET moveId = :other',
            ExpressionAttributeValues: { ':other': { S: 'another' } },
          }),
        );
      },
    },
  ],
};

describeKinds(
  [
    { kind: ssmParameters, samples: [parameterSet] },
    // It writes Strings only, and gives tags to one that was made anew under its hands.
    {
      kind: ssmStatus,
      samples: [status],
      demandedBeside: { 'ssm:PutParameter': ['ssm:AddTagsToResource'], 'ssm:GetParameters': [] },
    },
    { kind: dynamodbItem, samples: [metadata] },
    { kind: dynamodbRows, samples: [rows] },
    { kind: accountFence, samples: [fence] },
  ],
  { kinds: [writtenRows, ownTable], parts: sharedParts, onFaults: recordFaults, faultSample },
);
