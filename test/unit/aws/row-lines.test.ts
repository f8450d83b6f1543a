import { describe, expect, test } from 'vitest';
import { createRowChecksum, type Row } from '../../../src/aws/row-checksum.ts';
import { fromLine, toLine } from '../../../src/aws/row-lines.ts';

const everything: Row = {
  PK: { S: 'ACCOUNT#1' },
  text: { S: 'two\nlines, "quoted", \u2028 and 😀' },
  number: { N: '12345678901234567890123456789012345678' },
  bytes: { B: Buffer.from([0, 255, 10, 13]) },
  otherBytes: { B: new Uint8Array([1, 2, 3]) },
  flag: { BOOL: false },
  nothing: { NULL: true },
  list: { L: [{ S: 'a' }, { M: { deep: { B: Buffer.from('x') } } }, { L: [] }] },
  map: { M: { S: { S: 'a key that is named as a type' }, 'a.b': { N: '-1.5e-10' } } },
  texts: { SS: ['b', 'a'] },
  numbers: { NS: ['1', '2.5'] },
  binaries: { BS: [Buffer.from('p'), new Uint8Array([0])] },
};

const digestOf = (row: Row) => {
  const sum = createRowChecksum();
  sum.add(row);
  return sum.digest();
};

describe('a row as a line', () => {
  test('holds every type of value, in one line, and is read back as it was', () => {
    const line = toLine(everything);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(digestOf(fromLine(line))).toBe(digestOf(everything));
  });

  test('is as AWS imports it', () => {
    expect(toLine({ PK: { S: 'a' }, b: { B: Buffer.from('x') } })).toBe('{"Item":{"PK":{"S":"a"},"b":{"B":"eA=="}}}\n');
  });

  test.each([
    ['no JSON', '{'],
    ['no item', '{"PK":{"S":"a"}}'],
    ['a type that there is none of', '{"Item":{"PK":{"X":"a"}}}'],
    ['a value of two types', '{"Item":{"PK":{"S":"a","N":"1"}}}'],
    ['a value without a type', '{"Item":{"PK":"a"}}'],
    ['a number that is no text', '{"Item":{"PK":{"N":1}}}'],
    ['a list that is none', '{"Item":{"PK":{"L":"a"}}}'],
  ])('is refused when it is %s', (_what, line) => {
    expect(() => fromLine(line)).toThrow();
  });
});
