import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteParametersCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { ensureTable } from '../../sandbox/landing-zone/tables.ts';
import { freshAccountId, part } from '../support/parts.ts';

const indexes = ['GSI1', 'GSI2', 'GSI3'];

interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A shared table and SSM in an AWS account of its own. */
export interface RouterWorld {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly ssm: SSMClient;
  /** Of other clients. */
  readonly config: ClientConfig;
  readonly sharedTable: string;
  makeTable(name: string): Promise<void>;
  setParameters(parameters: Readonly<Record<string, string>>): Promise<void>;
  removeParameters(...names: string[]): Promise<void>;
  /** @returns the account's id */
  addPublicAccount(status?: string): Promise<string>;
  /** Whose table is its own, empty. */
  addPrivateAccount(): Promise<{ readonly accountId: string; readonly tableName: string }>;
  /** By who may do all. */
  plant(tableName: string, ...rows: Readonly<Record<string, unknown>>[]): Promise<void>;
  /** All rows of the table, in the order of their keys. */
  rows(tableName: string): Promise<Record<string, unknown>[]>;
}

export function useRouterWorld(): { readonly current: RouterWorld } {
  let client: DynamoDBClient;
  let ssm: SSMClient;
  let current: RouterWorld | undefined;
  beforeAll(async () => {
    const endpoint = (await part('ministack')).url;
    const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
    const config = { endpoint, region: 'us-east-1', credentials };
    client = new DynamoDBClient(config);
    ssm = new SSMClient(config);
    current = openWorld(config, client, ssm);
    await current.makeTable(current.sharedTable);
    await current.setParameters({
      '/platform/dynamodb/shared-table-name': current.sharedTable,
      '/platform/dynamodb/shared-table-arn': arnOf(current.sharedTable),
    });
  });
  afterAll(() => {
    client.destroy();
    ssm.destroy();
  });
  return {
    get current() {
      if (!current) throw new Error('no test runs');
      return current;
    },
  };
}

export const arnOf = (table: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`;

function openWorld(config: ClientConfig, client: DynamoDBClient, ssm: SSMClient): RouterWorld {
  const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const sharedTable = `shared-${randomUUID()}`;
  const setParameters: RouterWorld['setParameters'] = async (parameters) => {
    for (const [Name, Value] of Object.entries(parameters))
      await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
  };
  const addAccount = async (cloudType: string, status: string, tableName: string) => {
    const accountId = randomUUID();
    const at = `/accounts/${accountId}`;
    await setParameters({
      [`${at}/cloud-type`]: cloudType,
      [`${at}/provisioning-status`]: status,
      [`${at}/dynamodb/table-name`]: tableName,
      [`${at}/dynamodb/table-arn`]: arnOf(tableName),
    });
    return accountId;
  };
  const makeTable = (name: string) => ensureTable(client, name, indexes);
  return {
    ...{ dynamodb, ssm, config, sharedTable, makeTable, setParameters },
    async removeParameters(...Names) {
      await ssm.send(new DeleteParametersCommand({ Names }));
    },
    addPublicAccount: (status = 'active') => addAccount('public', status, sharedTable),
    async addPrivateAccount() {
      const tableName = `app-prod-account-${randomUUID()}`;
      await makeTable(tableName);
      return { accountId: await addAccount('private', 'active', tableName), tableName };
    },
    async plant(TableName, ...rows) {
      for (const Item of rows) await dynamodb.send(new PutCommand({ TableName, Item }));
    },
    async rows(TableName) {
      const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
      const keyOf = (row: Record<string, unknown>) => JSON.stringify([row['PK'], row['SK']]);
      return Items.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
  };
}
