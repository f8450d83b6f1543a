import fc from 'fast-check';
import type { AccountsRouter } from '../../src/accounts-router/index.ts';
import {
  filters,
  keyConditions,
  placeholders,
  sneakyValues,
  updates,
  withUsedPlaceholders,
  type Targets,
} from './hostile-expressions.ts';

type Method = keyof Pick<
  AccountsRouter,
  'get' | 'put' | 'update' | 'delete' | 'query' | 'batchGet' | 'batchWrite' | 'transactGet' | 'transactWrite'
>;

/** A call of the router that tries to reach another account's rows. */
export interface HostileCall {
  readonly method: Method;
  /** Of no type that the router takes. */
  readonly input: object;
}

/** Calls that mix what is right with what reaches further. */
export function hostileCalls(targets: Targets): fc.Arbitrary<HostileCall> {
  const { key, item, update, check, conditions } = rowInputs(targets);
  const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
  const stray = strayFields(targets);
  const call = (method: Method, input: fc.Arbitrary<object>) =>
    fc.tuple(input, stray).map(([fields, more]): HostileCall => ({
      method,
      input: withUsedPlaceholders({ ...fields, ...more }) as object,
    }));
  const reads = fc.oneof(fc.record({ Get: key }), fc.record({ Get: merged(key, fc.constant({ TableName: 'other' })) }));
  const requests = fc.oneof(fc.record({ PutRequest: item }), fc.record({ DeleteRequest: key }));
  const writes = fc.oneof(
    ...[fc.record({ Put: item }), fc.record({ Update: update }), fc.record({ Delete: key })],
    fc.record({ ConditionCheck: check }),
  );
  return fc.oneof(
    ...[call('get', key), call('put', merged(item, conditions)), call('delete', merged(key, conditions))],
    { weight: 3, arbitrary: call('update', update) },
    { weight: 4, arbitrary: call('query', queryInputs(targets)) },
    call('batchGet', fc.record({ Keys: several(key.map(({ Key }) => Key)) })),
    call('batchWrite', fc.record({ Requests: several(requests) })),
    call('transactGet', fc.record({ TransactItems: several(reads) })),
    { weight: 2, arbitrary: call('transactWrite', fc.record({ TransactItems: several(writes) })) },
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

function merged<A extends object, B extends object>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> {
  return fc.tuple(a, b).map(([fields, more]) => ({ ...fields, ...more }));
}

function rowInputs(targets: Targets) {
  const { own, victim } = targets;
  const SK = fc.constantFrom('ROW#1', 'ROW#2', 'SECRET');
  const PK = fc.constantFrom(own, ...sneakyValues(targets));
  const GSI1PK = fc.constantFrom(`${own}#ALL`, ...sneakyValues(targets));
  const named = placeholders(targets);
  const inherited = { PK: victim };
  const key = fc.record({
    Key: fc.oneof<fc.Arbitrary<object>[]>(
      ...[fc.record({ SK }), fc.record({ SK }), fc.record({ PK, SK }), fc.record({ SK, GSI1PK })],
      SK.map((sort) => Object.assign(Object.create(inherited) as object, { SK: sort })),
    ),
  });
  const item = fc.record({
    Item: fc.oneof<fc.Arbitrary<object>[]>(
      fc.record({ SK, text: fc.constant('own'), stolen: fc.constant(`${victim}#ALL`) }),
      fc.record({ PK, SK }),
      fc.record({ SK, GSI1PK, GSI1SK: fc.constant('ROW#1') }),
      SK.map((sort) => Object.assign(Object.create(inherited) as object, { SK: sort })),
    ),
  });
  const condition = fc.record({ ConditionExpression: filters });
  const conditions = fc.oneof<fc.Arbitrary<object>[]>(fc.constant({}), merged(condition, named));
  const update = merged(merged(key, fc.record({ UpdateExpression: updates })), named);
  return { key, item, conditions, update, check: merged(merged(key, condition), named) };
}

function queryInputs(targets: Targets): fc.Arbitrary<object> {
  const { own, victim } = targets;
  const start = fc.record({
    PK: fc.constantFrom(own, victim),
    SK: fc.constantFrom('ROW#1', ' '),
    GSI1PK: fc.constantFrom(undefined, `${own}#ALL`, `${victim}#ALL`),
    GSI1SK: fc.constantFrom(undefined, ' '),
  });
  const any = fc.record(
    {
      IndexName: fc.constantFrom('GSI1', 'GSI1', 'GSI2', 'other', 'constructor'),
      KeyConditionExpression: keyConditions,
      FilterExpression: filters,
      ProjectionExpression: fc.constantFrom('#t', 'PK, SK', '#pk, #t'),
      ExclusiveStartKey: start,
    },
    { requiredKeys: ['KeyConditionExpression'] },
  );
  const ofOwnPart = fc.record(
    {
      IndexName: fc.constant('GSI1'),
      KeyConditionExpression: fc.constantFrom('GSI1PK = :ownIndex', '#gp = :ownIndex AND #gs = :row'),
      FilterExpression: filters,
    },
    { requiredKeys: ['IndexName', 'KeyConditionExpression'] },
  );
  const bare = fc.record({ KeyConditionExpression: keyConditions });
  return merged(fc.oneof<fc.Arbitrary<object>[]>(any, bare, bare, ofOwnPart), placeholders(targets));
}

/** Fields that name another table, or that DynamoDB would take in place of an expression. Mostly none. */
function strayFields({ victim }: Targets): fc.Arbitrary<object> {
  const condition = { PK: { ComparisonOperator: 'EQ', AttributeValueList: [victim] } };
  const some = fc.constantFrom<object>(
    ...[{ TableName: 'other' }, { KeyConditions: condition }, { QueryFilter: condition }, { ScanFilter: condition }],
    ...[{ Expected: condition }, { AttributeUpdates: { GSI1PK: { Value: victim, Action: 'PUT' } } }],
    ...[{ ConditionalOperator: 'OR' }, { AttributesToGet: ['text'] }, { Statement: 'SELECT * FROM "other"' }],
    ...[{ RequestItems: {} }, { TableName: undefined }],
  );
  return fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, some);
}
