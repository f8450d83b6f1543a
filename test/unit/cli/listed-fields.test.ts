import { expect, it } from 'vitest';
import { printFields } from '../../../src/cli/output.ts';

it('some fields of tenants are a table: of health its status alone, of what is none a dash', () => {
  let out = '';
  const terminal = { out: { write: (text: string) => (out += text) } } as never;
  const health = { status: 'healthy', since: '2026-01-31T00:00:00.000Z', reason: null };
  const tenants = [
    { tenantId: 'a', slug: 'acme', health },
    { tenantId: 'b', slug: 'beta', health: null },
  ];
  printFields(terminal, tenants as never, 'slug,health');
  expect(out.split('\n').map((line) => line.trim().split(/ +/))).toEqual([
    ['tenantId', 'slug', 'health'],
    ['a', 'acme', 'healthy'],
    ['b', 'beta', '-'],
    [''],
  ]);
});
