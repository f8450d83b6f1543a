import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printCondition } from '../../../src/accounts-router/expressions/conditions.ts';
import { printProjection } from '../../../src/accounts-router/expressions/paths.ts';
import { Placeholders } from '../../../src/accounts-router/expressions/placeholders.ts';
import { readUpdate } from '../../../src/accounts-router/expressions/updates.ts';

const placeholders = () => new Placeholders('', { '#a': 'a', '#b': 'b.c' }, { ':v': 1, ':w': 2, ':_x1': 3 });
const condition = (text: string) => printCondition('F', text, placeholders()).text;
const update = (text: string) => readUpdate('U', text, placeholders()).text;
const projection = (text: string) => printProjection('P', text, placeholders());

describe('a condition', () => {
  it.each([
    'a = :v',
    '#a.b[0].#b <> :_x1',
    'a BETWEEN :v AND :w AND b = :v',
    'a IN (:v, :w, c)',
    'NOT (a = :v OR b < :w) AND size(#a) >= :v',
    'attribute_exists(a) OR attribute_not_exists(b.c) OR attribute_type(a, :v)',
    'begins_with(a, :v) AND contains(b, c)',
    'NOT NOT a <= b',
    'or1 = android',
  ])('of the grammar means what it meant: %s', (text) => {
    expect(condition(text)).toBe(text);
    expect(condition(`\n${text.replaceAll(' ', '\t ')} `)).toBe(text);
  });

  it('has its keywords in any case, and needs no spaces that change nothing', () => {
    expect(condition('a=:v and(not b>:w or c in(:v))')).toBe('a = :v AND (NOT b > :w OR c IN (:v))');
  });

  it.each([
    ...[
      '',
      ' ',
      'a',
      'a =',
      '= :v',
      'a = :v OR',
      'a = :v b = :w',
      '(a = :v',
      'a = :v)',
      'a = :v; b',
      'a == :v',
      'a = "x"',
      'a = 1',
    ],
    ...[
      'a = :none',
      '#none = :v',
      'a = :v -- x',
      'a[x] = :v',
      'a..b = :v',
      '1a = :v',
      '_a = :v',
      'a\u00a0= :v',
      'a = :v\u0000',
      'SIZE(a) > :v',
    ],
    ...[
      'attribute_exists(a, b)',
      'begins_with(a)',
      'contains(a, b, c)',
      'toString(a)',
      'a BETWEEN :v',
      'a IN ()',
      'a IN :v',
      'size(:v) > :w',
      '()',
    ],
  ])('that is none is refused: %j', (text) => {
    expect(() => condition(text)).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID', field: 'F' }));
  });

  it('is refused before it is too deep or too long to be read', () => {
    expect(() => condition(`${'('.repeat(2_000)}a = :v${')'.repeat(2_000)}`)).toThrow('nested deeper than');
    expect(() => condition(`${'NOT '.repeat(1_000)}a = :v`)).toThrow('nested deeper than');
    expect(() => condition(`a = :v${' AND a = :v'.repeat(400)}`)).toThrow('at most 4096 characters');
  });
});

describe('an update', () => {
  it.each([
    'SET a = :v, #a.b[1] = c + :v',
    'SET a = if_not_exists(a, :v) + :w REMOVE b, c[2] ADD n :v DELETE s :w',
    'SET l = list_append(if_not_exists(l, :v), :w)',
    'SET a = b - (c + :v)',
  ])('of the grammar means what it meant: %s', (text) => expect(update(text)).toBe(text));

  it.each([
    '',
    'a = :v',
    'SET',
    'SET a',
    'SET a = :v,',
    'SET a = size(b)',
    'REMOVE :v',
    'ADD a b',
    'SET a = :v REMOVE',
    'SET a = if_not_exists(:v, :w)',
    'SET a = :v + :v + :v',
    'UPDATE a = :v',
  ])('that is none is refused: %j', (text) =>
    expect(() => update(text)).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID' })),
  );
});

describe('a projection', () => {
  it('is a list of paths', () => expect(projection(' a,#a . b [0], c')).toBe('a, #a.b[0], c'));
  it.each(['', 'a,', 'a b', ':v', '*', 'size(a)'])('that is none is refused: %j', (text) => {
    expect(() => projection(text)).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID' }));
  });
});

it('what is printed of any tokens has the same tokens, and is printed the same again', () => {
  const token = fc.constantFrom(
    'a',
    '#a',
    ':v',
    '(',
    ')',
    '=',
    '<',
    'AND',
    'OR',
    'NOT',
    'BETWEEN',
    'IN',
    ',',
    '.',
    'size',
    'contains',
  );
  const comparison = fc.constantFrom(
    'a = :v',
    'contains(a, :v)',
    'a BETWEEN :v AND :w',
    'size(a) < b',
    'a IN (:v, :w)',
  );
  const joint = fc.constantFrom(' AND ', ' OR ', ' AND NOT ', ') OR (', ' ');
  const text = fc.oneof(
    fc.tuple(comparison, joint, comparison, joint, comparison).map((found) => found.join('')),
    fc.array(token, { minLength: 1, maxLength: 9 }).map((found) => found.join(' ')),
    fc
      .array(fc.oneof(comparison, fc.constantFrom('AND', 'OR', 'NOT', '(', ')')), { minLength: 1, maxLength: 9 })
      .map((found) => found.join(' ')),
  );
  let taken = 0;
  fc.assert(
    fc.property(text, (given) => {
      const printed = attempt(() => condition(given));
      if (printed === undefined) return;
      taken += 1;
      expect(printed.replaceAll(' ', '')).toBe(given.replaceAll(' ', ''));
      expect(condition(printed)).toBe(printed);
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

describe('an expression that was read before', () => {
  const text = '#x = :y';
  const given = (names: object, values: object) => printCondition('F', text, new Placeholders('', names, values)).text;

  it('is refused in a call that does not give its names and values', () => {
    expect(given({ '#x': 'a' }, { ':y': 1 })).toBe(text);
    for (const call of [
      () => given({}, { ':y': 1 }),
      () => given({ '#x': 'a' }, {}),
      () => given({ '#z': 'a' }, { ':z': 1 }),
    ])
      expect(call).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID', field: 'F' }));
  });

  it('is one of its own grammar only, and names the field of the call that is refused', () => {
    expect(condition('a = :v')).toBe('a = :v');
    expect(() => update('a = :v')).toThrow('unexpected');
    const call = () => printCondition('TransactItems[1].Put.F', text, new Placeholders('', {}, {}));
    expect(call).toThrow(expect.objectContaining({ field: 'TransactItems[1].Put.F' }));
  });
});

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
