import fc from 'fast-check';
import type { AccountsRouter } from '../../src/accounts-router/index.ts';

type Method = keyof Pick<
  AccountsRouter,
  'get' | 'put' | 'update' | 'delete' | 'query' | 'batchGet' | 'batchWrite' | 'transactGet' | 'transactWrite'
>;

/** A call of the router that tries to reach another account's rows. */
export interface HostileCall {
  readonly method: Method;
  /** Of no type that the router takes. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** Who calls, and whose rows are meant. */
export interface Targets {
  readonly own: string;
  readonly victim: string;
}

/** What a hostile call may name: placeholders for everything that an expression could be about. */
const names = {
  '#pk': 'PK',
  '#sk': 'SK',
  '#gp': 'GSI1PK',
  '#gs': 'GSI1SK',
  '#t': 'text',
  '#s': 'stolen',
  '#d': 'GSI1PK.x',
};
const valuesOf = ({ own, victim }: Targets) => ({
  ':own': own,
  ':ownIndex': `${own}#ALL`,
  ':victim': victim,
  ':victimIndex': `${victim}#ALL`,
  ':prefix': 'ACCOUNT#',
  ':row': 'ROW#1',
  ':low': ' ',
  ':high': '~',
  ':n': 1,
  ':list': [victim],
});

const sneakyValues = ({ victim }: Targets): unknown[] => [
  victim,
  `${victim}#ALL`,
  [victim],
  Object(victim) as object,
  { toString: () => victim },
  new Set([victim]),
  null,
  1,
];

const pieces = fc.constantFrom(
  ...[
    'PK',
    '#pk',
    'SK',
    '#sk',
    'GSI1PK',
    '#gp',
    'GSI1SK',
    '#gs',
    '#t',
    '#s',
    'stolen',
    ':own',
    ':ownIndex',
    ':victim',
    ':victimIndex',
  ],
  ...[
    ':prefix',
    ':row',
    ':low',
    ':high',
    ':n',
    ':list',
    '=',
    '<>',
    '<',
    '>=',
    '(',
    ')',
    ',',
    '.',
    '[',
    ']',
    '0',
    '+',
    '-',
    ' ',
    '\n',
    '\u00a0',
  ],
  ...[
    'AND',
    'or',
    'NOT',
    'BETWEEN',
    'IN',
    'SET',
    'remove',
    'ADD',
    'DELETE',
    'begins_with',
    'contains',
    'size',
    'if_not_exists',
    'list_append',
  ],
  ...[
    'attribute_exists',
    ')) OR (PK = :victim) OR ((',
    '--',
    ';',
    '"',
    '#tenantryOwner',
    ':tenantryPartition',
    '#',
    ':',
    '#constructor',
  ],
);
const soup = fc.array(pieces, { maxLength: 14 }).map((found) => found.join(' '));

const partitions = fc.constantFrom('PK', '#pk', 'GSI1PK', '#gp');
const anyValue = fc.constantFrom(':own', ':ownIndex', ':victim', ':victimIndex');
const equal = fc.tuple(partitions, anyValue).map(([name, value]) => `${name} = ${value}`);
const sorted = fc.constantFrom(
  'SK = :row',
  'begins_with(SK, :low)',
  '#sk BETWEEN :low AND :high',
  'GSI1SK > :low',
  '#gs = :row',
);
const keyConditions = fc.oneof(
  equal,
  sorted,
  fc
    .tuple(equal, fc.constantFrom(' AND ', ' OR ', ') OR (', ' AND NOT '), fc.oneof(equal, sorted))
    .map((found) => found.join('')),
  fc.constantFrom(
    'begins_with(PK, :prefix)',
    'begins_with(#gp, :prefix)',
    'PK BETWEEN :low AND :high',
    'GSI1PK > :low',
    'PK IN (:own, :victim)',
  ),
  soup,
);
const filters = fc.oneof(
  fc.constantFrom(
    'PK = :victim',
    '#pk <> :own',
    'NOT #pk = :own',
    'attribute_exists(#t) OR PK = :victim',
    '#t = :n) OR (PK <> :own',
  ),
  fc.constantFrom(
    'NOT #t = :n',
    'attribute_exists(#t)',
    'size(#t) > :n OR NOT contains(#t, :row)',
    '(#t = :n OR #s = :n) OR #pk IN (:victim)',
  ),
  soup,
);
const assigned = fc.constantFrom(
  ...[
    ':victim',
    ':victimIndex',
    ':ownIndex',
    'stolen',
    '#s',
    'if_not_exists(stolen, :ownIndex)',
    'if_not_exists(GSI1PK, :victimIndex)',
  ],
  ...[
    'if_not_exists(#gp, stolen)',
    'list_append(:list, :list)',
    ':n + :n',
    '(:victimIndex)',
    'if_not_exists(stolen, if_not_exists(#s, :victim))',
  ],
);
const updates = fc.oneof(
  fc
    .tuple(fc.constantFrom('PK', '#pk', 'SK', 'GSI1PK', '#gp', '#gp.x', '#d', 'GSI1PK[0]', '#t'), assigned)
    .map(([name, value]) => `SET ${name} = ${value}`),
  fc.tuple(fc.constantFrom('PK', '#gp', 'GSI1PK'), anyValue).map(([name, value]) => `set #t = :n, ${name} = ${value}`),
  fc.constantFrom(
    'REMOVE #pk',
    'REMOVE GSI1PK',
    'ADD #gp :victimIndex',
    'DELETE GSI1PK :list',
    'SET #t = :n SET #gp = :victimIndex',
  ),
  soup,
);

/** Calls that mix what is right with what reaches further. */
export function hostileCalls(targets: Targets): fc.Arbitrary<HostileCall> {
  const placeholders = fc.record(
    {
      ExpressionAttributeNames: fc.constantFrom(
        names,
        { ...names, '#tenantryOwner': 'text' },
        { ...names, '#t': 'GSI1PK' },
      ),
      ExpressionAttributeValues: fc.oneof(
        { weight: 4, arbitrary: fc.constant(valuesOf(targets)) },
        fc
          .constantFrom(...sneakyValues(targets))
          .map((value) => ({ ...valuesOf(targets), ':ownIndex': value, ':own': value })),
        fc.constant({ ...valuesOf(targets), ':tenantryPartition': targets.victim, ':tenantryOwner': targets.victim }),
      ),
    },
    { requiredKeys: ['ExpressionAttributeNames', 'ExpressionAttributeValues'] },
  );
  const row = rows(targets);
  const call = (method: HostileCall['method'], ...parts: fc.Arbitrary<object>[]) =>
    fc
      .tuple(...parts)
      .map((found): HostileCall => ({ method, input: Object.assign({}, ...found) as HostileCall['input'] }));
  const item = (value: fc.Arbitrary<unknown>, name: string) => fc.record({ [name]: value });
  const conditions = fc.oneof(
    fc.constant({}),
    item(filters, 'ConditionExpression').chain((c) => placeholders.map((p) => ({ ...c, ...p }))),
  );
  const legacy = stray(targets);
  const update = fc
    .tuple(item(row.key, 'Key'), item(updates, 'UpdateExpression'), placeholders)
    .map((found) => Object.assign({}, ...found) as object);
  const reads = fc.array(
    fc.record({ Get: fc.oneof(item(row.key, 'Key'), fc.record({ Key: row.key, TableName: fc.constant('other') })) }),
    { minLength: 1, maxLength: 3 },
  );
  const writes = fc.oneof(
    fc.record({ Put: item(row.item, 'Item') }),
    fc.record({ Update: update }),
    fc.record({ Delete: item(row.key, 'Key') }),
    fc.record({
      ConditionCheck: item(row.key, 'Key').chain((k) =>
        placeholders.map((p) => ({ ...k, ...p, ConditionExpression: 'attribute_exists(PK)' })),
      ),
    }),
  );
  return fc.oneof(
    call('get', item(row.key, 'Key'), legacy),
    call('put', item(row.item, 'Item'), conditions, legacy),
    call('update', update, legacy),
    call('delete', item(row.key, 'Key'), conditions, legacy),
    { weight: 4, arbitrary: call('query', queryOf(targets), placeholders, legacy) },
    call('batchGet', item(fc.array(row.key, { minLength: 1, maxLength: 3 }), 'Keys'), legacy),
    call(
      'batchWrite',
      item(
        fc.array(
          fc.oneof(
            fc.record({ PutRequest: item(row.item, 'Item') }),
            fc.record({ DeleteRequest: item(row.key, 'Key') }),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        'Requests',
      ),
      legacy,
    ),
    call('transactGet', item(reads, 'TransactItems'), legacy),
    call('transactWrite', item(fc.array(writes, { minLength: 1, maxLength: 3 }), 'TransactItems'), legacy),
  );
}

/** Sends it as a service in plain JavaScript could. */
export function sendHostile(
  router: AccountsRouter,
  accountId: string,
  { method, input }: HostileCall,
): Promise<unknown> {
  const send = router[method] as (accountId: string, input: unknown) => Promise<unknown>;
  return send(accountId, input);
}

function rows(targets: Targets) {
  const SK = fc.constantFrom('ROW#1', 'ROW#2', 'SECRET');
  const PK = fc.constantFrom(targets.own, ...sneakyValues(targets));
  const index = fc.constantFrom(`${targets.own}#ALL`, ...sneakyValues(targets));
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.record({ SK }) },
    fc.record({ PK, SK }),
    fc.record({ SK, GSI1PK: index }),
  );
  const item = fc.oneof(
    fc.record({ SK, text: fc.constant('own'), stolen: fc.constant(`${targets.victim}#ALL`) }),
    fc.record({ PK, SK, GSI1PK: index, GSI1SK: fc.constant('ROW#1') }, { requiredKeys: ['SK'] }),
    fc
      .record({ SK, text: fc.constant('own') })
      .map((found) => Object.create({ PK: targets.victim }, Object.getOwnPropertyDescriptors(found)) as object),
  );
  return { key, item };
}

function queryOf(targets: Targets) {
  const start = fc.record({
    PK: fc.constantFrom(targets.own, targets.victim),
    SK: fc.constantFrom('ROW#1', ' '),
    GSI1PK: fc.constantFrom(undefined, `${targets.own}#ALL`, `${targets.victim}#ALL`),
    GSI1SK: fc.constantFrom(undefined, ' '),
  });
  return fc.record(
    {
      IndexName: fc.constantFrom('GSI1', 'GSI1', 'GSI2', 'other', 'constructor'),
      KeyConditionExpression: keyConditions,
      FilterExpression: filters,
      ProjectionExpression: fc.constantFrom('#t', 'PK, SK', '#pk, #t'),
      ExclusiveStartKey: start,
    },
    { requiredKeys: ['KeyConditionExpression'] },
  );
}

/** Fields that name another table, or that DynamoDB would take in place of an expression. Mostly none. */
function stray({ victim }: Targets): fc.Arbitrary<object> {
  const condition = { PK: { ComparisonOperator: 'EQ', AttributeValueList: [victim] } };
  const some = fc.constantFrom<object>(
    ...[{ TableName: 'other' }, { KeyConditions: condition }, { QueryFilter: condition }, { ScanFilter: condition }],
    ...[
      { Expected: condition },
      { AttributeUpdates: { GSI1PK: { Value: victim, Action: 'PUT' } } },
      { ConditionalOperator: 'OR' },
    ],
    ...[
      { AttributesToGet: ['text'] },
      { Statement: 'SELECT * FROM "other"' },
      { RequestItems: {} },
      { TableName: undefined },
    ],
  );
  return fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, some);
}
