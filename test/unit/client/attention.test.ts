import { expect, it } from 'vitest';
import { attentionOf } from '../../../src/client/attention.ts';
import { outcomeOf } from '../../../src/client/outcome.ts';
import type { OperationRow } from '../../../src/db/operations.ts';
import type { TenantRow } from '../../../src/db/tenants.ts';

const abandoned = {
  id: 'operation',
  type: 'deprovision',
  state: 'abandoned',
  failure: null,
  graceUntil: null,
} as OperationRow;
const tenantOf = (activatedAt: Date | null) =>
  ({ id: 'tenant', slug: 'acme', status: 'deleting', cleanupPending: true, failure: null, activatedAt }) as TenantRow;
const effectOfDelete = (activatedAt: Date | null) =>
  attentionOf(tenantOf(activatedAt), abandoned, [], new Date()).choices.find(({ verb }) => verb === 'delete')?.effect;

it('the choice to delete says what becomes of the slug: reserved when the tenant was ever active, else free', () => {
  expect(effectOfDelete(new Date())).toBe('removes what is left; the slug stays reserved for 30 days afterwards');
  expect(effectOfDelete(null)).toBe('removes what is left; the slug is free again afterwards');
});

it.each([
  ['provision', 'everything that it created is removed'],
  ['update', 'the tenant gets back the images, sizes and counts that it had before'],
  ['suspend', 'the tenant is active again, as before'],
  ['resume', 'the tenant stays suspended, as before'],
  ['rotate', 'the tenant uses the credentials that it had before'],
] as const)('a hold of %s says what its rollback leaves', (type, left) => {
  const holding = { ...abandoned, type, state: 'holding', holdMs: 1 } as OperationRow;
  const { otherwise, choices } = attentionOf(tenantOf(new Date()), holding, [], new Date());
  expect(otherwise).toBe(`at that time it rolls back: ${left}`);
  expect(choices.find(({ verb }) => verb === 'cancel')?.effect).toContain(`rolls back: ${left}`);
});

it('what waits for a person and how it ended are said in plain words', () => {
  const waiting = (state: OperationRow['state']) =>
    attentionOf(tenantOf(null), { ...abandoned, type: 'provision', state, holdMs: 1 }, [], new Date());
  const said = JSON.stringify([waiting('holding'), waiting('stuck'), outcomeOf(tenantOf(null), abandoned)]);
  expect(said).toContain('at that time it rolls back: everything that it created is removed');
  expect(said).toContain('an operator closed it unfinished');
  expect(said).not.toMatch(/taken? away|as it (is|was)\b|by itself then/);
});
