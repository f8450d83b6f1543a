import { describe, expect, it } from 'vitest';
import { parseTenantName, tenantNamePattern, tenantNameText } from '../../../src/contracts/tenant-name.ts';

const id = '8f14e45f-ceea-467f-ab70-4a1b9b3f8a1e';

describe('the name of a tenant', () => {
  it.each([
    [id, { id }],
    [id.toUpperCase(), { id }],
    ['acme', { slug: 'acme' }],
    ['ACME-2', { slug: 'acme-2' }],
    ['mate~acme', { product: 'mate', slug: 'acme' }],
    [`accounts~${id}`, { product: 'accounts', slug: id }],
  ])('%s is understood, and described', (text, name) => {
    expect(parseTenantName(text)).toEqual(name);
    expect(text).toMatch(new RegExp(tenantNamePattern));
  });

  it.each([
    '',
    'ab',
    '-acme',
    'acme-',
    'a~b~cde',
    '~acme',
    'mate~',
    'mate/acme',
    'a b',
    'ünal',
    'a'.repeat(41),
    '00000000-0000-9999-0000-000000000001',
  ])('%s names nothing', (text) => {
    expect(parseTenantName(text)).toBeUndefined();
  });

  it('is written as it is read', () => {
    for (const name of [
      { product: 'mate', slug: 'acme' },
      { product: undefined, slug: 'acme' },
    ])
      expect(parseTenantName(tenantNameText(name))).toEqual(name);
  });
});
