import type { CloudType } from '../../src/products/accounts/cloud-types.ts';
import type { License } from '../../src/products/accounts/settings.ts';

/** What a demo account is made with. */
export function demoAccount(cloudType: CloudType) {
  return {
    cloudType,
    name: `ACME Corporation (${cloudType})`,
    masterAccountName: 'acme-master',
    addresses: [{ type: 'billing', line1: '1 Main Street', city: 'Springfield', postalCode: '62701', country: 'US' }],
    technicalUser: { name: 'Ada Lovelace', email: `ada@${cloudType}.acme.example` },
    licenses: [license('sales'), license('support')],
  };
}

/** One that was there, and another one. */
export function changedLicenses(): License[] {
  return [license('billing'), license('support')];
}

function license(serviceId: string): License {
  return {
    ...{ enterpriseId: 'ent-1', productId: 'crm', serviceId, startDate: '2026-01-01', endDate: '2026-12-31' },
    ...{ contactFullName: 'Ada Lovelace', contactEmail: 'ada@acme.example' },
  };
}
