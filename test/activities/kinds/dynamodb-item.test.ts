import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromAttributes, toAttributes, type Item } from '../../../src/aws/dynamodb-values.ts';
import { dynamodbItem } from '../../../src/kinds/dynamodb-item/kind.ts';
import type { SpecOf } from '../../support/kinds.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
let dynamodb: DynamoDBClient;
beforeAll(() => {
  dynamodb = new DynamoDBClient(world.target);
});

type Spec = SpecOf<'dynamodb-item'>;
type Settings = ContextSettings<'dynamodb-item'>;

async function item(change: Partial<Spec> = {}) {
  const tenant = await newTenant(world);
  const table = world.cell.sharedTables?.[0] ?? '';
  const key = { PK: `ACCOUNT#${tenant.id}`, SK: 'METADATA' };
  const spec: Spec = {
    table,
    partitionKey: { name: 'PK', value: key.PK },
    sortKey: { name: 'SK', value: key.SK },
    attributes: { name: 'Acme', seats: 3 },
    initial: { status: 'creating' },
    ...change,
  };
  const context = (settings: Settings = {}, other: Partial<Spec> = {}) =>
    contextOf<'dynamodb-item'>(world, tenant, { ...spec, ...other }, settings);
  const read = async () => {
    const { Item: found } = await dynamodb.send(
      new GetItemCommand({ TableName: table, Key: toAttributes(key), ConsistentRead: true }),
    );
    return found && fromAttributes(found);
  };
  const write = (attributes: Item) =>
    dynamodb.send(new PutItemCommand({ TableName: table, Item: toAttributes({ ...key, ...attributes }) }));
  const update = (UpdateExpression: string, values: Item) =>
    dynamodb.send(
      new UpdateItemCommand({
        TableName: table,
        Key: toAttributes(key),
        UpdateExpression,
        ExpressionAttributeValues: toAttributes(values),
      }),
    );
  return { tenant, key, context, read, write, update };
}

const removing = { removingAt: new Date() };

describe('dynamodb-item', () => {
  it('refuses an item of the same key without its mark, and leaves it as it is', async () => {
    const { context, key, read, write } = await item();
    await write({ name: 'theirs' });
    expect(await stepErrorOf(dynamodbItem.ensure(context()))).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    expect(await dynamodbItem.remove(context(removing))).toMatchObject({ status: 'removed' });
    expect(await read()).toEqual({ ...key, name: 'theirs' });
  });

  it('looks at the item when a condition fails after an attempt without an answer', async () => {
    const { context, read } = await item();
    await dynamodbItem.ensure(context());
    const made = await read();
    // The look before the write is older than what the attempt made.
    let looks = 0;
    const { items } = world.aws;
    const late: typeof items = {
      ...items,
      findItem: (address) => (looks++ === 0 ? Promise.resolve(undefined) : items.findItem(address)),
    };
    const answer = await dynamodbItem.ensure(context({ mayExist: true, aws: { ...world.aws, items: late } }));
    expect(answer).toMatchObject({ status: 'ready' });
    expect(await read()).toEqual(made);
  });

  it('says that somebody else was first where a condition fails on what is not its own', async () => {
    const { context, read, key, write } = await item();
    await write({ name: 'theirs' });
    let looks = 0;
    const { items } = world.aws;
    const blind: typeof items = {
      ...items,
      findItem: (address) => (looks++ === 0 ? Promise.resolve(undefined) : items.findItem(address)),
    };
    const refused = await stepErrorOf(dynamodbItem.ensure(context({ aws: { ...world.aws, items: blind } })));
    expect(refused).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await read()).toEqual({ ...key, name: 'theirs' });
  });

  it('puts back its own attributes, and leaves initial ones and those of others alone', async () => {
    const { context, read, update } = await item();
    await dynamodbItem.ensure(context());
    await update('SET seats = :s, provisioned = :a, theirs = :t', {
      ':s': 9,
      ':a': 'active',
      ':t': { deep: [1, null, true] },
    });
    expect(await dynamodbItem.differs?.(context())).toEqual([
      { is: 'changed', field: 'attributes.seats', wanted: 3, found: 9 },
    ]);
    await dynamodbItem.ensure(context());
    expect(await read()).toMatchObject({
      name: 'Acme',
      seats: 3,
      status: 'creating',
      provisioned: 'active',
      theirs: { deep: [1, null, true] },
    });
  });

  it('writes an initial attribute once', async () => {
    const { context, read, tenant } = await item();
    await dynamodbItem.ensure(context());
    const { attributes } = context().spec;
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: context().spec.table,
        Key: toAttributes({ PK: `ACCOUNT#${tenant.id}`, SK: 'METADATA' }),
        UpdateExpression: 'SET #status = :status',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: toAttributes({ ':status': 'active' }),
      }),
    );
    expect(await dynamodbItem.differs?.(context())).toEqual([]);
    await dynamodbItem.ensure(context({}, { attributes: { ...attributes, seats: 4 } }));
    expect(await read()).toMatchObject({ status: 'active', seats: 4 });
  });

  it('takes off what others added where its spec says so, and what only the other side of an update has', async () => {
    const { context, read, update } = await item();
    await dynamodbItem.ensure(context());
    await update('SET theirs = :t', { ':t': 1 });
    const strict = { otherAttributes: 'remove' as const };
    expect(await dynamodbItem.differs?.(context({}, strict))).toEqual([
      { is: 'extra', field: 'attributes.theirs', found: 1 },
    ]);
    const without = { absent: ['theirs'] };
    expect(await dynamodbItem.differs?.(context({}, { absent: ['other'] }))).toEqual([]);
    expect(await dynamodbItem.differs?.(context({}, without))).toMatchObject([{ field: 'attributes.theirs' }]);
    await dynamodbItem.ensure(context({}, without));
    expect(await read()).not.toHaveProperty('theirs');
    await update('SET theirs = :t', { ':t': 1 });
    await dynamodbItem.ensure(context({}, strict));
    expect(await read()).not.toHaveProperty('theirs');
    await dynamodbItem.ensure(context({ otherSpec: context().spec }, { attributes: { name: 'Acme' } }));
    expect(await read()).toMatchObject({ name: 'Acme', status: 'creating' });
    expect(await read()).not.toHaveProperty('seats');
  });

  it('is hit by no write or deletion that was meant for what another operation had made', async () => {
    const { context, read } = await item();
    const first = context({ operationId: '11111111-1111-4111-8111-111111111111' });
    await dynamodbItem.ensure(first);
    const address = { table: first.spec.table, partitionKey: first.spec.partitionKey, sortKey: first.spec.sortKey };
    await dynamodbItem.remove(first);
    await dynamodbItem.ensure(context());
    const made = await read();
    expect(await world.aws.items.removeItem(address, first.tags)).toBe(false);
    expect(await world.aws.items.changeItem(address, first.tags, { set: { seats: 0 }, remove: [] })).toBe(false);
    expect(await read()).toEqual(made);
  });

  it('ends at once where its key is not that of the table, and is removed all the same', async () => {
    const { context } = await item({ partitionKey: { name: 'id', value: 'ACCOUNT#1' } });
    expect(await stepErrorOf(dynamodbItem.ensure(context()))).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await dynamodbItem.remove(context(removing))).toMatchObject({ status: 'removed' });
  });

  it('waits for a table that is not there yet, and is gone with it', async () => {
    const { context } = await item({ table: 'not-there-yet' });
    expect(await stepErrorOf(dynamodbItem.ensure(context()))).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await dynamodbItem.observe(context(removing))).toMatchObject({ status: 'absent' });
    expect(await dynamodbItem.remove(context(removing))).toMatchObject({ status: 'removed' });
  });

  it('is found by its name in the ledger, whatever is in its key', async () => {
    const { tenant, context } = await item();
    const odd = { sortKey: { name: 'SK', value: 'A/B%2F%/C' } };
    const { name } = (await dynamodbItem.ensure(context({}, odd))).outputs;
    const found = await world.aws.inventory.items.find({ name, physicalId: name });
    expect(found?.tags).toMatchObject({ 'tenantry:tenant-id': tenant.id });
    const listed = await world.aws.inventory.items.list(() => false);
    expect(listed.map((one) => one.name)).toContain(name);
  });
});
