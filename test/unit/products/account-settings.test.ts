import { describe, expect, it } from 'vitest';
import { accountSettings } from '../../../src/products/accounts/settings.ts';
import { parseSettings } from '../../../src/products/settings.ts';

const address = { type: 'billing', line1: '1 Main Street', city: 'Springfield', country: 'US' };
const technicalUser = { name: 'Ada', email: 'ada@acme.example' };
const license = {
  enterpriseId: 'ent-1',
  productId: 'crm',
  serviceId: 'sales',
  startDate: '2026-01-01',
  endDate: '2026-12-31',
  contactFullName: 'Ada L.',
  contactEmail: 'ada@acme.example',
};
const whole = {
  name: 'ACME Corporation',
  masterAccountName: 'acme-master',
  addresses: [{ ...address, line2: 'Floor 2', region: 'IL', postalCode: '62701' }],
  technicalUser: { ...technicalUser, username: 'ada' },
  licenses: [license, { ...license, serviceId: 'support' }],
};

/** What is wrong with settings, by field. */
function problemsOf(settings: Record<string, unknown>): string[] {
  const checked = parseSettings(accountSettings, settings);
  return checked.ok ? [] : checked.problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`);
}

describe('the settings of an account', () => {
  it.each([
    [{}],
    [whole],
    [{ licenses: [], addresses: [] }],
    [{ licenses: [{ ...license, endDate: license.startDate }] }],
    [{ name: 'شركة المثال' }],
  ])('may be %j', (settings) => expect(problemsOf(settings)).toEqual([]));

  it.each([
    [{ plan: 'gold' }, ': unknown field "plan"; known: name, masterAccountName, addresses, technicalUser, licenses'],
    [{ name: '  ' }, 'name: must not be blank'],
    [{ name: 'a\u001b[2J' }, 'name: must not be blank, and must have no control characters'],
    [{ name: 'x'.repeat(201) }, 'name: must have at most 200 characters'],
    [{ addresses: Array(11).fill(address) }, 'addresses: must have at most 10 entries'],
    [
      { addresses: [{ ...address, country: 'us' }] },
      'addresses.0.country: must be two letters in upper case that ISO 3166-1',
    ],
    [
      { addresses: [{ ...address, country: 'USA' }] },
      'addresses.0.country: must be two letters in upper case that ISO 3166-1',
    ],
    [{ addresses: [{ ...address, zip: '1' }] }, 'addresses.0: unknown field "zip"'],
    [{ addresses: [{ type: 'billing', line1: 'x', country: 'US' }] }, 'addresses.0.city: is required'],
    [{ technicalUser: { name: 'Ada' } }, 'technicalUser.email: is required'],
    [{ technicalUser: { ...technicalUser, email: 'ada@' } }, 'technicalUser.email: must be an email address'],
    [{ technicalUser: { ...technicalUser, role: 'root' } }, 'technicalUser: unknown field "role"'],
    [{ licenses: [{ ...license, startDate: '2026-01-01T00:00:00Z' }] }, 'licenses.0.startDate: must be a day of the'],
    [{ licenses: [{ ...license, startDate: '2026-02-30' }] }, 'licenses.0.startDate: must be a day of the calendar'],
    [{ licenses: [{ ...license, endDate: '2025-12-31' }] }, 'licenses.0.endDate: must not be before startDate'],
    [{ licenses: [{ ...license, enterpriseId: 'a#b' }] }, 'licenses.0.enterpriseId: must be 1 to 64 letters'],
    [{ licenses: [{ ...license, seats: 3 }] }, 'licenses.0: unknown field "seats"'],
    [
      { licenses: [license, { ...license, endDate: '2027-01-01' }] },
      'licenses.1: has the same enterpriseId, productId and serviceId as the license at 0',
    ],
    // The first 32 bits of both hashes are the same.
    [
      { licenses: ['a', 'service-85791', 'service-101259'].map((serviceId) => ({ ...license, serviceId })) },
      'licenses.2: cannot be told apart from the license at 1 (they are counted from 0): both have the short hash bbdfeb60',
    ],
    [{ licenses: licensesOf(26) }, 'licenses: must have at most 25 entries'],
  ])('may not be %j', (settings, said) => {
    expect(problemsOf(settings)).toEqual([expect.stringContaining(said)]);
  });

  it.each(['UK', 'EU', 'XK', 'AN', 'ZZ'])('name no country %s: ISO 3166-1 has assigned none', (country) => {
    expect(problemsOf({ addresses: [{ ...address, country }] })).toEqual([
      expect.stringContaining('addresses.0.country: must be two letters in upper case that ISO 3166-1'),
    ]);
  });

  it('fit one row, whatever the length of each field', () => {
    const long = { ...address, line1: 'ü'.repeat(120), line2: 'ü'.repeat(120) };
    expect(problemsOf({ addresses: Array(4).fill(long) })).toEqual([]);
    expect(problemsOf({ addresses: Array(10).fill(long) })).toEqual([
      expect.stringMatching(/^addresses: must be shorter: .* have \d+ bytes together, and may have 2800$/),
    ]);
  });
});

function licensesOf(count: number) {
  return Array.from({ length: count }, (_, i) => ({ ...license, serviceId: `service-${i}` }));
}
