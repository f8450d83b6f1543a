import { marshall, NumberValueImpl as NumberValue } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { copyValue } from '../../../src/accounts-router/copied-value.ts';
import { pagesOf } from '../../../src/accounts-router/pages.ts';
import { guarded } from './fixture.ts';

class Seats {
  max = 3;
  readonly used = [1, 2];
}

/** Of every type that the document client takes. */
const value = () => ({
  text: 'x',
  nothing: null,
  list: [1, { deep: ['a'] }, [true]],
  map: { city: 'Bonn', more: { zip: '1' } },
  names: new Set(['a', 'b']),
  byName: new Map([['a', { n: 1 }]]),
  bytes: Buffer.from('abc'),
  others: new Set([new Uint8Array([1, 2])]),
  exact: NumberValue.from('12345678901234567890123'),
  large: 12345678901234567890n,
  seats: new Seats(),
  bare: Object.assign(Object.create(null) as object, { a: { b: 1 } }),
});
type Value = ReturnType<typeof value>;

const options = { convertClassInstanceToMap: true };

/** Changes all that can be changed in it. */
function spoil(given: Value): void {
  given.list.push(2);
  (given.list[1] as { deep: string[] }).deep[0] = 'spoiled';
  given.map.more.zip = 'spoiled';
  given.names.add('c');
  given.byName.get('a')!.n = 2;
  given.bytes[0] = 0;
  for (const bytes of given.others) bytes[0] = 9;
  given.seats.used.push(3);
  given.bare.a.b = 2;
}

describe('a copy of what a caller gives', () => {
  it('is what the document client takes for the same, and stays so whatever becomes of the original', () => {
    const given = value();
    const copy = copyValue(given);
    expect(marshall(copy, options)).toEqual(marshall(given, options));
    spoil(given);
    expect(marshall(copy, options)).toEqual(marshall(value(), options));
    expect(marshall(given, options)).not.toEqual(marshall(value(), options));
  });

  it('has no prototype that is none, leaves holes out, and keeps what is known by its class alone', () => {
    const given = JSON.parse('{"__proto__":{"a":{"b":1}}}') as { a?: unknown };
    const copy = copyValue(given);
    expect([Object.keys(copy), copy.a, Object.getPrototypeOf(copy)]).toEqual([
      ['__proto__'],
      undefined,
      Object.prototype,
    ]);
    const holes: unknown[] = [1];
    holes[3] = 2;
    expect(marshall({ list: copyValue(holes) })).toEqual({ list: { L: [{ N: '1' }, { N: '2' }] } });
    const text = Object('x') as string;
    expect(copyValue(text)).toBe(text);
  });

  it.each([
    ['put', (given: Value) => ({ Item: { SK: 'A', given } }), 'Item'],
    [
      'update',
      (given: Value) => ({
        ...{ Key: { SK: 'A' }, UpdateExpression: 'SET a = :given', ConditionExpression: 'b <> :given' },
        ExpressionAttributeValues: { ':given': given },
      }),
      'ExpressionAttributeValues',
    ],
    [
      'query',
      (given: Value) => ({ FilterExpression: 'a = :given', ExpressionAttributeValues: { ':given': given } }),
      'ExpressionAttributeValues',
    ],
    ['batchWrite', (given: Value) => ({ Requests: [{ PutRequest: { Item: { SK: 'A', given } } }] }), 'requests'],
  ] as const)('is what a %s sends', (method, inputOf, field) => {
    const given = value();
    const sent: Readonly<Record<string, unknown>> = { ...guarded(method, inputOf(given)) };
    const before = marshall({ sent: sent[field] }, options);
    spoil(given);
    expect(marshall({ sent: sent[field] }, options)).toEqual(before);
  });

  it('is what every page is of', async () => {
    const input = { ExpressionAttributeValues: { ':p': ['one'] } };
    const seen: string[] = [];
    const pages = pagesOf(input, (page) => {
      seen.push(
        `${page.ExpressionAttributeValues[':p'].join()} after ${JSON.stringify(page.ExclusiveStartKey ?? null)}`,
      );
      return Promise.resolve({ LastEvaluatedKey: seen.length === 1 ? { PK: 'x' } : undefined });
    });
    input.ExpressionAttributeValues[':p'].push('other');
    for await (const _ of pages) input.ExpressionAttributeValues = { ':p': [] };
    expect(seen).toEqual(['one after null', 'one after {"PK":"x"}']);
  });
});
