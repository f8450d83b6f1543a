import { describe, expect, it } from 'vitest';
import { partBytes } from '../../../src/archives/object-sink.ts';
import type { Definition } from '../../../src/db/tenant-dump/catalog.ts';
import { ordered } from '../../../src/db/tenant-dump/order.ts';

const definition = (sort: Definition['sort'], key: string): Definition => ({ key, sort, statement: `create ${key}` });
const keys = (list: readonly Definition[]) => list.map(({ key }) => key);

describe('the order of definitions', () => {
  it('makes what tables need before them, and all else after the rows', () => {
    const all = [
      definition('view', 'view'),
      definition('table', 'table'),
      definition('function', 'of-view'),
      definition('function', 'of-table'),
      definition('constraint', 'key'),
      definition('type', 'type'),
      definition('sequence', 'sequence'),
    ];
    const needs = [
      { from: 'view', to: 'key' },
      { from: 'key', to: 'table' },
      { from: 'table', to: 'of-table' },
      { from: 'of-table', to: 'type' },
      { from: 'of-view', to: 'view' },
      { from: 'table', to: 'of-another-schema' },
    ];
    const { before, after, circular } = ordered(all, needs);
    expect(keys(before)).toEqual(['type', 'sequence', 'of-table', 'table']);
    expect(keys(after)).toEqual(['key', 'view', 'of-view']);
    expect(circular).toEqual([]);
  });

  it('names what needs itself in a circle, and orders the rest', () => {
    const all = [definition('view', 'a'), definition('view', 'b'), definition('table', 't')];
    const needs = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ];
    const { before, after, circular } = ordered(all, needs);
    expect([keys(before), keys(after), keys(circular)]).toEqual([['t'], [], ['a', 'b']]);
  });
});

it('the parts of an object grow, so that 10,000 of them hold a large table and the first take little memory', () => {
  const mib = 1024 * 1024;
  expect([1, 2_000, 2_001, 10_000].map((n) => partBytes(n) / mib)).toEqual([8, 8, 16, 128]);
});
