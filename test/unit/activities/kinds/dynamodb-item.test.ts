import { describe, expect, it } from 'vitest';
import { changeOf, itemDifferences, type WantedItem } from '../../../../src/kinds/dynamodb-item/changes.ts';
import { dynamodbItem } from '../../../../src/kinds/dynamodb-item/kind.ts';
import { itemSpec } from '../../../../src/kinds/dynamodb-item/spec.ts';
import { itemType } from '../../../../src/kinds/dynamodb-item/type.ts';
import { differences } from '../../../../src/plan/differences.ts';

const tenantId = '22222222-2222-4222-8222-222222222222';
const other = '33333333-3333-4333-8333-333333333333';
const good = {
  table: 'accounts',
  partitionKey: { name: 'PK', value: `ACCOUNT#${tenantId}` },
  sortKey: { name: 'SK', value: 'METADATA' },
  attributes: { name: 'Acme', licenses: [{ seats: 3, note: null }], table: { ref: 'stack.tableName' } },
  initial: { status: 'creating' },
};
const problemsOf = (change: object) =>
  itemSpec.safeParse({ ...good, ...change }).error?.issues.map(({ message }) => message) ?? [];

describe('the spec of an item', () => {
  it('may hold whatever JSON has, and references', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ sortKey: undefined, initial: undefined, partitionKey: { name: 'id', value: 7 } })).toEqual([]);
  });

  it.each([
    ['no name of a table', { table: 'a b' }],
    ['an empty key', { partitionKey: { name: 'PK', value: '' } }],
    ['a partition key of more than 2 KB', { partitionKey: { name: 'PK', value: 'é'.repeat(1_025) } }],
    ['a sort key of more than 1 KB', { sortKey: { name: 'SK', value: 'é'.repeat(513) } }],
    ['two parts of a key by one name', { sortKey: { name: 'PK', value: 'x' } }],
    ['an attribute that is a part of the key', { attributes: { SK: 'x' } }],
    ['an attribute that is its own and initial', { attributes: { status: 'x' } }],
    ['the attribute of the mark', { attributes: { tenantry: {} } }],
    ['what JSON has no equal for', { attributes: { at: new Date() } }],
    ['a number that is none', { attributes: { n: Number.NaN } }],
    ['another policy on others’ attributes', { otherAttributes: 'ignore' }],
    ['an attribute that is to be absent and is given', { attributes: { name: 'x' }, absent: ['name'] }],
    ['a part of the key that is to be absent', { absent: ['PK'] }],
  ])('refuses %s', (_what, change) => {
    expect(problemsOf(change)).not.toEqual([]);
  });

  it('changes in its attributes, and not in its table and key', () => {
    const changed = (spec: object) => {
      const step = { id: 'put', kind: 'dynamodb-item', needs: [], spec: good };
      return differences([step], [{ ...step, spec: { ...good, ...spec } }], () => dynamodbItem)[0]?.problems;
    };
    expect(changed({ attributes: { name: 'x' }, initial: {}, otherAttributes: 'remove' })).toEqual([]);
    expect(changed({ table: 'others' })).toHaveLength(1);
    expect(changed({ sortKey: { name: 'SK', value: 'x' } })).toHaveLength(1);
  });
});

describe('the type of items', () => {
  const { markOf, named } = itemType;
  it('knows a tenant’s by the id in its partition key', () => {
    if (typeof named === 'string') throw new Error('items are named by a pattern');
    const isOf = (name: string) => named.isOf(name, { installationId: other, tenantId });
    expect(isOf(`accounts/ACCOUNT#${tenantId}/METADATA`)).toBe(true);
    expect(isOf(`accounts/${tenantId}`)).toBe(true);
    expect(isOf(`accounts/ACCOUNT#${tenantId}/LICENSE#${other}`)).toBe(true);
    expect(isOf(`accounts/ACCOUNT#${other}/METADATA#${tenantId}`)).toBe(false);
    expect(isOf(`app-account-${tenantId}/ACCOUNT#${other}/METADATA`)).toBe(false);
    expect(named.pattern.test(`accounts/METADATA/${tenantId}`)).toBe(false);
    expect(named.pattern.test(`accounts/x${tenantId}`)).toBe(false);
  });

  it('says where the mark is written', () => {
    const marker = `tenantry:${other}:${tenantId}:accounts:${other}:put`;
    expect(markOf?.('accounts/x', marker)).toContain(`"tenantry:tenant-id":"${tenantId}"`);
  });
});

describe('an item beside its spec', () => {
  const wanted: WantedItem = {
    attributes: { name: 'Acme', seats: { max: 3, used: [1, 2] } },
    initial: ['status'],
    removesOthers: false,
    absent: ['email'],
    earlier: ['plan', 'name', 'status'],
  };
  const seen = (attributes: Parameters<typeof changeOf>[1]['attributes'], more: readonly string[] = []) => ({
    attributes,
    names: [...Object.keys(attributes), ...more],
  });
  const asMade = { name: 'Acme', seats: { used: [1, 2], max: 3 }, status: 'creating' };

  it('needs no change as it was made, whatever became of initial attributes and others added', () => {
    for (const attributes of [asMade, { ...asMade, status: 'active' }, { ...asMade, theirs: 1 }]) {
      expect(changeOf(wanted, seen(attributes))).toBeUndefined();
      expect(itemDifferences(wanted, seen(attributes))).toEqual([]);
    }
  });

  it('gets back what was changed or taken off, and loses what only an earlier spec had', () => {
    const found = seen({ seats: { max: 9, used: [1, 2] }, plan: 'old', theirs: 1 });
    expect(changeOf(wanted, found)).toEqual({ set: wanted.attributes, remove: ['plan'] });
    expect(itemDifferences(wanted, found).map(({ is, field }) => [is, field])).toEqual([
      ['changed', 'attributes.name'],
      ['changed', 'attributes.seats'],
    ]);
  });

  it('loses what is nobody’s there, whatever else others may add', () => {
    const found = seen({ ...asMade, theirs: 1, email: 'eve@evil.example' });
    expect(changeOf(wanted, found)).toEqual({ set: {}, remove: ['email'] });
    expect(itemDifferences(wanted, found).map(({ is, field }) => [is, field])).toEqual([['extra', 'attributes.email']]);
  });

  it('loses what others added where its spec says so, sets and binary data too', () => {
    const strict = { ...wanted, removesOthers: true, earlier: [] };
    const found = seen({ ...asMade, theirs: 1 }, ['aSet']);
    expect(changeOf(strict, found)).toEqual({ set: {}, remove: ['theirs', 'aSet'] });
    expect(itemDifferences(strict, found)).toEqual([
      { is: 'extra', field: 'attributes.theirs', found: 1 },
      { is: 'extra', field: 'attributes.aSet', found: undefined },
    ]);
  });
});
