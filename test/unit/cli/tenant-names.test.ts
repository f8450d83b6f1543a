import { describe, expect, it } from 'vitest';
import type { ListedTenant } from '../../../src/cli/api-client.ts';
import { chooseTenant } from '../../../src/cli/tenant-names.ts';

const tenant = (tenantId: string, product: string, status: string, more: object = {}) =>
  ({ tenantId, product, slug: 'dup', status, cleanupPending: false, openOperation: null, ...more }) as ListedTenant;
const chosen = (...tenants: ListedTenant[]) => chooseTenant(tenants, 'dup').tenant.tenantId;

describe('a slug', () => {
  it('means the newest of one product, whatever became of the earlier ones', () => {
    const cancelled = tenant('old', 'mate', 'failed');
    expect(chosen(tenant('new', 'mate', 'active'), cancelled)).toBe('new');
    expect(chosen(tenant('new', 'mate', 'failed'), cancelled)).toBe('new');
    expect(chooseTenant([tenant('new', 'mate', 'pending'), cancelled, cancelled], 'dup').earlier).toBe(2);
  });

  it('of several products means the only one that is there', () => {
    expect(chosen(tenant('gone', 'mate', 'deleted'), tenant('there', 'notes', 'active'))).toBe('there');
    const left = tenant('left', 'notes', 'failed', { cleanupPending: true });
    expect(chosen(tenant('gone', 'mate', 'failed'), left)).toBe('left');
  });

  it('is ambiguous only when several products have it', () => {
    const [a, b] = [tenant('a', 'notes', 'active'), tenant('b', 'mate', 'active')];
    expect(() => chooseTenant([a, tenant('x', 'notes', 'failed'), b], 'dup')).toThrow(
      'several products have a tenant dup: say which of mate/dup, notes/dup',
    );
    const gone = [tenant('a', 'notes', 'deleted'), tenant('b', 'mate', 'deleted')];
    expect(() => chooseTenant(gone, 'dup')).toThrow('several products');
    expect(() => chooseTenant([], 'dup')).toThrow('there is no tenant dup');
  });
});
