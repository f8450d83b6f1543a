import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/contracts/settings.ts';
import type { TenantStatus } from '../../../src/contracts/tenant-status.ts';
import { accountOf } from '../../../src/products/accounts/account.ts';
import { accountsInExample, exampleCell } from '../../support/platform.ts';

const settings = {
  name: 'ACME',
  addresses: [{ type: 'billing', line1: '1 Main Street', city: 'Springfield', country: 'US' }],
  technicalUser: { name: 'Ann Example', email: 'ann@acme.test' },
  licenses: [
    {
      ...{ enterpriseId: 'e', productId: 'p', serviceId: 's', startDate: '2026-01-01', endDate: '2026-12-31' },
      ...{ contactFullName: 'Bob Example', contactEmail: 'bob@acme.test' },
    },
  ],
};
const cell = exampleCell({ ...accountsInExample, products: ['accounts'] });
const times = { createdAt: '', updatedAt: '', activatedAt: null, deletedAt: null };
const seenAs = (status: TenantStatus, cleanupPending = false, chosen: Settings = settings) =>
  accountOf(
    {
      ...{ ...times, tenantId: 'id', tier: 'public', displayName: 'ACME', cell: cell.id },
      ...{ status, cleanupPending, settings: chosen },
    },
    cell,
  );

describe('an account as its callers see it', () => {
  it.each([
    ['active', false],
    ['deleting', false],
    ['failed', true],
  ] as const)('has its people while something of it is left: %s, to be cleared up: %s', (status, cleanupPending) => {
    expect(seenAs(status, cleanupPending)).toMatchObject(settings);
  });

  it('has its people also where an earlier release took a country that there is none of', () => {
    const addresses = settings.addresses.map((address) => ({ ...address, country: 'UK' }));
    const chosen = { ...settings, addresses };
    expect(seenAs('active', false, chosen)).toMatchObject(chosen);
  });

  it.each(['deleted', 'failed'] as const)('has nobody any more once nothing of it is left: %s', (status) => {
    const account = seenAs(status);
    expect(account).toMatchObject({ name: 'ACME', addresses: [], technicalUser: null, licenses: [], tableName: null });
    expect(JSON.stringify(account)).not.toMatch(/Example|acme\.test|Main Street/);
  });
});
