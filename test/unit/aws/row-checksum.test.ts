import { describe, expect, test } from 'vitest';
import { createRowChecksum, type Row } from '../../../src/aws/row-checksum.ts';

const checksumOf = (rows: readonly Row[]) => {
  const checksum = createRowChecksum();
  for (const row of rows) checksum.add(row);
  return { count: checksum.count, digest: checksum.digest() };
};
const one = (v: Row[string]) => checksumOf([{ PK: { S: 'a' }, v }]).digest;

const rows: Row[] = Array.from({ length: 50 }, (_, i) => ({ PK: { S: 'a' }, SK: { S: `ROW#${i}` }, n: { N: `${i}` } }));

describe('the checksum of rows', () => {
  test('is the same in whichever order the rows come', () => {
    expect(checksumOf(rows.toReversed())).toEqual(checksumOf(rows));
  });

  test('goes on from page to page', () => {
    const paged = createRowChecksum();
    for (const row of rows.slice(0, 20)) paged.add(row);
    expect(paged.digest()).toBe(checksumOf(rows.slice(0, 20)).digest);
    for (const row of rows.slice(20)) paged.add(row);
    expect({ count: paged.count, digest: paged.digest() }).toEqual(checksumOf(rows));
  });

  test('is 64 digits, also of no row and of one whose hash begins with zeros', () => {
    const digests = rows.map((row) => checksumOf([row]).digest);
    expect([checksumOf([]).digest, ...digests].every((digest) => /^[0-9a-f]{64}$/.test(digest))).toBe(true);
    expect(checksumOf([])).toEqual({ count: 0, digest: '0'.repeat(64) });
  });

  test('tells a row that is missing, is another, or came twice', () => {
    const { digest } = checksumOf(rows);
    const [first = {}] = rows;
    expect(checksumOf(rows.slice(1)).digest).not.toBe(digest);
    expect(checksumOf([...rows.slice(1), { ...first, n: { N: '7' } }]).digest).not.toBe(digest);
    expect(checksumOf([...rows, first]).digest).not.toBe(digest);
    expect(checksumOf([...rows, first, first]).digest).not.toBe(digest);
  });

  test('tells values that changed places between rows or attributes', () => {
    const row = (SK: string, a: string, b: string): Row => ({ SK: { S: SK }, a: { S: a }, b: { S: b } });
    const digests = [
      [row('1', 'x', 'y'), row('2', 'p', 'q')],
      [row('1', 'p', 'y'), row('2', 'x', 'q')],
      [row('1', 'y', 'x'), row('2', 'p', 'q')],
      [row('1', 'xy', ''), row('2', 'p', 'q')],
    ].map((set) => checksumOf(set).digest);
    expect(new Set(digests).size).toBe(4);
  });

  test('does not count the order of attributes, keys of a map and members of a set', () => {
    const digests = [
      { b: { M: { x: { S: '1' }, y: { BOOL: true } } }, a: { SS: ['p', 'q'] } },
      { a: { SS: ['q', 'p'] }, b: { M: { y: { BOOL: true }, x: { S: '1' } } } },
    ].map((row) => checksumOf([row]).digest);
    expect(new Set(digests).size).toBe(1);
    expect(one({ NS: ['1', '20'] })).toBe(one({ NS: ['2e1', '1.0'] }));
    expect(one({ BS: [Buffer.from('a'), Buffer.from('b')] })).toBe(one({ BS: [Buffer.from('b'), Buffer.from('a')] }));
    expect(one({ L: [{ S: 'a' }, { S: 'b' }] })).not.toBe(one({ L: [{ S: 'b' }, { S: 'a' }] }));
  });

  test.each([
    ['1.5', '1.50', '15e-1', '0.15E+1', '+1.5', '01.5'],
    ['0', '-0', '0.00', '0e5'],
    ['-1200', '-1.2e3', '-12E2', '-1200.0'],
    ['100', '1e2', '1E+2'],
    ['12345678901234567890123456789012345678', '1234567890123456789012345678901234567.8e1'],
  ])('takes %s for one number, however it is written', (...spellings) => {
    expect(new Set(spellings.map((N) => one({ N }))).size).toBe(1);
  });

  test('tells numbers apart that floating point does not', () => {
    const numbers = [
      '12345678901234567890123456789012345678',
      '12345678901234567890123456789012345679',
      '1',
      '-1',
      '10',
    ];
    expect(new Set(numbers.map((N) => one({ N }))).size).toBe(numbers.length);
  });

  test('tells types apart that look the same', () => {
    const values: Row[string][] = [
      { S: '1' },
      { N: '1' },
      { B: Buffer.from('1') },
      { SS: ['1'] },
      { NS: ['1'] },
      { BS: [Buffer.from('1')] },
      { L: [{ S: '1' }] },
      { M: { 1: { S: '1' } } },
      { BOOL: true },
      { BOOL: false },
      { NULL: true },
      { S: '' },
      { L: [] },
      { M: {} },
    ];
    expect(new Set(values.map(one)).size).toBe(values.length);
  });

  test('is refused of a type of value that is not known', () => {
    const row: Row = { v: { $unknown: ['X', 1] } };
    expect(() => createRowChecksum().add(row)).toThrow('does not know');
  });
});
