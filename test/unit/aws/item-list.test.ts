import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { itemList } from '../../../src/aws/inventory/items.ts';
import { rowList } from '../../../src/aws/inventory/rows.ts';
import { cell } from '../../db/fixtures.ts';

const mark = { tenantry: { M: { 'tenantry:installation': { S: 'i' } } } };
const marked = { PK: { S: 'a' }, ...mark };

/** A table so large that no emulator of ours can hold it: the SDK's client, with the answer that AWS would give. */
function clientOf(
  TableSizeBytes: number,
  items: readonly object[] = [marked],
): { client: DynamoDBClient; asked: string[] } {
  const asked: string[] = [];
  const answers: Readonly<Record<string, object>> = {
    DescribeTable: { Table: { TableSizeBytes, KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }] } },
    Scan: { Items: items },
  };
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    requestHandler: {
      handle: ({ headers }: { headers: Readonly<Record<string, string>> }) => {
        const action = headers['x-amz-target']?.split('.').at(-1) ?? '';
        asked.push(action);
        const body = Readable.from([JSON.stringify(answers[action])]);
        return Promise.resolve({
          response: { statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body },
        });
      },
    },
  });
  return { client, asked };
}

const sharing = { ...cell, sharedTables: ['accounts'] };
const largest = 256 * 1_024 * 1_024;

it('scans a table of 256 MB for items with a mark', async () => {
  const { client, asked } = clientOf(largest);
  expect((await itemList(client, sharing).list(() => false)).map(({ name }) => name)).toEqual(['accounts/a']);
  expect(asked).toEqual(['DescribeTable', 'Scan']);
});

it('scans no larger one, and says so: nothing is taken for absent then', async () => {
  const { client, asked } = clientOf(largest + 1);
  await expect(itemList(client, sharing).list(() => false)).rejects.toThrow('items of table accounts cannot be listed');
  expect(asked).toEqual(['DescribeTable']);
});

const account = 'ACCOUNT#6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11';

it('counts the rows without a mark by their account, and no other partition', async () => {
  const rows = [
    ...[account, account, `${account}#FENCE`, 'ACCOUNT#nobody'].map((PK) => ({ PK: { S: PK } })),
    { PK: { S: account }, ...mark },
    { PK: { S: account }, tenantry: { S: 'an attribute of the service' } },
  ];
  const { client } = clientOf(largest, rows);
  expect(await rowList(client, sharing).list(() => false)).toEqual([
    expect.objectContaining({
      name: `accounts/${account}`,
      tags: {},
      seen: { name: `accounts/${account}`, rows: 3, keys: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    }),
  ]);
  const larger = clientOf(largest + 1, rows);
  await expect(rowList(larger.client, sharing).list(() => false)).rejects.toThrow('cannot be listed');
  expect(larger.asked).toEqual(['DescribeTable']);
});
