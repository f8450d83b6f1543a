import { DynamoDBClient, PutItemCommand, UpdateItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  SSMClient,
  type PutParameterCommandInput,
} from '@aws-sdk/client-ssm';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshAccountId } from '../../support/parts.ts';
import { errorOf, makeTable } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
let ssm: SSMClient;
let dynamodb: DynamoDBClient;
beforeAll(() => {
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  const config = { endpoint: shared.gateway.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  ssm = new SSMClient(config);
  dynamodb = new DynamoDBClient(config);
});

const put = (Name: string, more: Partial<PutParameterCommandInput> = {}) =>
  ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String', ...more }));
const Tags = [{ Key: 'team', Value: 'a' }];
const levels = (count: number) => Array.from({ length: count }, (_, i) => `/l${i}`).join('');

describe('a parameter is refused', () => {
  const refused: [string, string, string, Partial<PutParameterCommandInput>][] = [
    ['with tags where it may be written over', '/a/tagged', 'ValidationException', { Overwrite: true, Tags }],
    ['with tags of AWS', '/a/tagged', 'ValidationException', { Tags: [{ Key: 'aws:x', Value: 'y' }] }],
    ['below /aws', '/aws/x', 'AccessDeniedException', {}],
    ['by a name that begins with ssm', 'SSM-x', 'ValidationException', {}],
    ['by a name with a space', '/a/b c', 'ValidationException', {}],
    ['by a path without a slash before it', 'a/b', 'ValidationException', {}],
    ['by a path that ends with a slash', '/a/b/', 'ValidationException', {}],
    ['by a name of 1012 characters', `/${'n'.repeat(1_011)}`, 'ValidationException', {}],
    ['in the sixteenth level', levels(16), 'HierarchyLevelLimitExceededException', {}],
    ['without a value', '/a/empty', 'ValidationException', { Value: '' }],
    ['with the name of another one in its value', '/a/nested', 'ValidationException', { Value: '{{ssm:/b}}' }],
    ['with more than 4 KB', '/a/large', 'ValidationException', { Value: 'é'.repeat(2_049) }],
    ['with more than 8 KB', '/a/large', 'ValidationException', { Value: 'x'.repeat(8_193), Tier: 'Advanced' }],
  ];
  it.each(refused)('%s', async (_what, name, code, more) => {
    expect((await errorOf(put(name, more))).name).toBe(code);
  });

  it('at its limits by nobody', async () => {
    await put(levels(15), { Value: 'x'.repeat(4_096) });
    await put(`/${'n'.repeat(1_010)}`, { Value: 'x'.repeat(8_192), Tier: 'Advanced' });
  });

  it('with another type than it has', async () => {
    await put('/typed');
    const change = put('/typed', { Type: 'SecureString', Overwrite: true });
    expect((await errorOf(change)).name).toBe('HierarchyTypeMismatchException');
    await put('/typed', { Overwrite: true });
  });

  it('where it is there already and is not to be written over', async () => {
    await put('/taken');
    expect((await errorOf(put('/taken'))).name).toBe('ParameterAlreadyExists');
  });
});

describe('parameters', () => {
  it('are looked at and deleted by ten names a call', async () => {
    const Names = Array.from({ length: 11 }, (_, i) => `/many/${i}`);
    expect((await errorOf(ssm.send(new GetParametersCommand({ Names })))).name).toBe('ValidationException');
    expect((await errorOf(ssm.send(new DeleteParametersCommand({ Names })))).name).toBe('ValidationException');
    const answer = await ssm.send(new GetParametersCommand({ Names: Names.slice(1) }));
    expect(answer.InvalidParameters).toHaveLength(10);
  });

  it('come in pages of ten by their path, and of fifty otherwise', async () => {
    const byPath = ssm.send(new GetParametersByPathCommand({ Path: '/', MaxResults: 11 }));
    expect((await errorOf(byPath)).name).toBe('ValidationException');
    const all = ssm.send(new DescribeParametersCommand({ MaxResults: 51 }));
    expect((await errorOf(all)).name).toBe('ValidationException');
  });

  it('have no tags when they are not there', async () => {
    const none = { ResourceType: 'Parameter', ResourceId: '/none' } as const;
    const calls = [
      () => ssm.send(new ListTagsForResourceCommand(none)),
      () => ssm.send(new AddTagsToResourceCommand({ ...none, Tags })),
      () => ssm.send(new RemoveTagsFromResourceCommand({ ...none, TagKeys: ['team'] })),
    ];
    for (const call of calls) expect((await errorOf(call())).name).toBe('InvalidResourceId');
    await put('/none');
    const { TagList } = await ssm.send(new ListTagsForResourceCommand(none));
    expect(TagList).toEqual([]);
  });

  it('are found by their tags', async () => {
    await put('/tags/a', { Tags });
    await put('/tags/b', { Tags: [{ Key: 'team', Value: 'b' }] });
    await put('/tags/c');
    const namesBy = async (Values: string[]) => {
      const ParameterFilters = [
        { Key: 'Name', Option: 'BeginsWith', Values: ['/tags/'] },
        { Key: 'tag:team', Values },
      ];
      const { Parameters = [] } = await ssm.send(new DescribeParametersCommand({ ParameterFilters }));
      return Parameters.map(({ Name }) => Name);
    };
    expect(await namesBy(['a'])).toEqual(['/tags/a']);
    expect(await namesBy(['a', 'b'])).toEqual(['/tags/a', '/tags/b']);
    expect(await namesBy(['z'])).toEqual([]);
  });
});

describe('an item is refused', () => {
  const TableName = 'strict-items';
  beforeAll(() => makeTable(dynamodb, TableName));
  const refused: [string, Record<string, AttributeValue>][] = [
    ['with an empty key', { PK: { S: '' } }],
    ['with a key of another type', { PK: { N: '1' } }],
    ['with a key of more than 2 KB', { PK: { S: 'x'.repeat(2_049) } }],
    ['with more than 400 KB', { PK: { S: 'large' }, data: { S: 'x'.repeat(400 * 1_024) } }],
  ];
  it.each(refused)('%s', async (_what, Item) => {
    expect((await errorOf(dynamodb.send(new PutItemCommand({ TableName, Item })))).name).toBe('ValidationException');
  });

  it('where a condition on the map that is its mark does not hold', async () => {
    const mark = (owner: string) => ({ M: { owner: { S: owner }, step: { S: 's' } } });
    await dynamodb.send(new PutItemCommand({ TableName, Item: { PK: { S: 'marked' }, mark: mark('a') } }));
    const change = (owner: string) =>
      dynamodb.send(
        new UpdateItemCommand({
          TableName,
          Key: { PK: { S: 'marked' } },
          UpdateExpression: 'SET n = :n',
          ConditionExpression: 'mark = :mark',
          ExpressionAttributeValues: { ':n': { N: '1' }, ':mark': mark(owner) },
        }),
      );
    expect((await errorOf(change('b'))).name).toBe('ConditionalCheckFailedException');
    await change('a');
  });
});
