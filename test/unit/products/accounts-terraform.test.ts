import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defaultLeaseSeconds, leaseBounds } from '../../../src/accounts-router/fence.ts';
import { LONGEST_HOLD_S } from '../../../src/kinds/dynamodb-rows/spec.ts';
import { DEFAULT_HOLD_SECONDS, optionalNames, parameterNames } from '../../../src/products/accounts/platform.ts';

const file = (name: string) => readFileSync(`terraform/accounts/${name}`, 'utf8');

it('Terraform writes the parameters that the product reads, and no others', () => {
  const written = [...file('main.tf').matchAll(/^\s*"(\/platform\/[^"]+)"\s*=/gm)].map(([, name = '']) => name);
  expect(written.sort()).toEqual(Object.values({ ...parameterNames, ...optionalNames }).sort());
});

it('Terraform has the lease of routers within the bounds of the product', () => {
  const [, lease = ''] = /variable "router_lease_seconds" \{(.*?)\n\}/s.exec(file('variables.tf')) ?? [];
  expect(lease).toMatch(new RegExp(`default\\s*= ${defaultLeaseSeconds}\\b`));
  const { leastSeconds, mostSeconds } = leaseBounds;
  expect(lease).toContain(
    `var.router_lease_seconds >= ${leastSeconds} && var.router_lease_seconds <= ${mostSeconds} &&`,
  );
  expect(lease).toContain(`whole number from ${leastSeconds} to ${mostSeconds}.`);
});

it('Terraform holds moved rows within the bounds of the product', () => {
  const [, hold = ''] = /variable "moved_rows_hold_seconds" \{(.*?)\n\}/s.exec(file('variables.tf')) ?? [];
  expect(hold).toMatch(new RegExp(`default\\s*= ${DEFAULT_HOLD_SECONDS}\\b`));
  expect(hold).toContain(`var.moved_rows_hold_seconds <= ${LONGEST_HOLD_S}`);
});
