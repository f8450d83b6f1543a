import { expect, it } from 'vitest';
import { operationTable } from '../../../src/contracts/operation-table.ts';
import { inAccountWords } from '../../../src/products/accounts/words.ts';

it('what every operation comes to is said without the words of tenants', () => {
  const said = Object.values(operationTable).flatMap(({ words }) =>
    [words.rolledBackTo, words.abandonedWhenTrue, ...Object.values(words.ended)].flatMap((text) => text ?? []),
  );
  for (const text of said.map(inAccountWords)) expect(text).not.toMatch(/\b(tenant|tier)s?\b/);
});

it('identifiers, paths and options stay', () => {
  const text = 'key tenant-1, /api/v1/tenants/id, --tier private, tenant.moamalat.acme: the role tenant-admin';
  expect(inAccountWords(text)).toBe(text);
  expect(inAccountWords("`tenantry tenants retry <tenant>`: the tenant's migrate operation changes its tier")).toBe(
    "`tenantry accounts retry <account>`: the account's move operation changes its cloud type",
  );
});
