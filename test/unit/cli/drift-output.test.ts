import { describe, expect, it } from 'vitest';
import { lookText, totalText } from '../../../src/cli/drift-output.ts';
import type { DriftLook, DriftRemedy } from '../../../src/contracts/drift.ts';

const look = (changes: Partial<DriftLook>): DriftLook => ({
  ...{ tenantId: 'id', product: 'moamalat', slug: 'acme', cell: 'default', outcome: 'none', findings: [], unseen: [] },
  ...changes,
});
const finding = (remedy: DriftRemedy) =>
  ({ stepId: 'create_dns', is: 'changed', field: 'ttl', wanted: 60, found: 5, remedy, source: 'look' }) as const;

describe('what tenantry drift prints', () => {
  it('has with each difference the command that brings it back', () => {
    const said = (remedy: DriftRemedy) => lookText(look({ outcome: 'drift', findings: [finding(remedy)] }));
    expect(said('repair')).toContain('tenantry tenants repair moamalat/acme');
    expect(said('resume')).toContain('tenantry tenants resume moamalat/acme');
    expect(said('refresh')).toContain('tenantry tenants update moamalat/acme --refresh');
    expect(said('hand')).not.toContain('tenantry tenants');
    expect(said('hand')).toContain('1 difference from what was applied');
  });

  it('counts in the total only what there is, in the right number', () => {
    expect(totalText([look({})])).toBe('1 tenant: 1 as applied');
    const others = [look({ outcome: 'drift' }), look({ outcome: 'void' }), look({ outcome: 'void' })];
    expect(totalText(others)).toBe('3 tenants: 1 with differences, 2 not looked at');
    expect(totalText([])).toBe('0 tenants');
  });
});
