import { describe, expect, it } from 'vitest';
import { attentionOf } from '../../../src/client/attention.ts';
import { outcomeOf } from '../../../src/client/outcome.ts';
import type { Leftover } from '../../../src/contracts/messages.ts';
import { operationTable } from '../../../src/contracts/operation-table.ts';
import { unsettledOf } from '../../../src/contracts/unsettled.ts';
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
  ['migrate', 'the tenant stays in the tier that it was in, as before'],
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

describe.each(['update', 'suspend', 'resume', 'rotate', 'migrate', 'repair'] as const)(
  'a tenant in use whose %s',
  (type) => {
    const { tenantStatus } = operationTable[type];
    const of = (state: OperationRow['state'], status: TenantRow['status']) =>
      attentionOf(
        { ...tenantOf(new Date()), status },
        { ...abandoned, type, state, committedAt: null },
        [],
        new Date(),
      );

    it('is stuck is offered its deletion last, in words that say that it deletes what serves', () => {
      const { choices } = of('stuck', tenantStatus.stuck);
      expect(choices.map(({ verb }) => verb)).toEqual(['retry', 'abandon', 'delete']);
      expect(choices.at(-1)?.effect).toMatch(/^deletes the tenant, with its address, its services and its data/);
      expect(JSON.stringify(choices)).not.toMatch(/until a delete|removes what is left/);
    });

    it('was abandoned is offered a repair where one is accepted, and nothing of it is called left over', () => {
      const status = tenantStatus.undone[tenantStatus.claimed] ?? tenantStatus.succeeded;
      const { choices, otherwise } = of('abandoned', status);
      expect(choices.map(({ verb }) => verb)).toEqual(status === 'active' ? ['repair', 'delete'] : ['delete']);
      expect(choices.at(-1)?.effect).toMatch(/^deletes the tenant/);
      expect(otherwise).toBe('the tenant stays as it is');
    });
  },
);

describe('what is amiss with a tenant', () => {
  const left = (condition?: Leftover['condition']): Leftover => ({
    stepId: 'create_schema',
    type: 't',
    name: 'n',
    reason: 'r',
    ...(condition && { condition }),
  });
  it.each([
    ['missing', [left('not-looked-at'), left('missing'), left('left')]],
    ['changed', [left('left'), left('changed')]],
    ['changed', [left('not-looked-at')]],
    ['left', [left()]],
    ['unknown', null],
  ] as const)('in use is the worst of its list: %s', (unsettled, leftovers) => {
    expect(unsettledOf({ cleanupPending: true, status: 'active' }, leftovers)).toBe(unsettled);
  });

  it('is what is left where it is not in use, and nothing where it is whole', () => {
    expect(unsettledOf({ cleanupPending: true, status: 'failed' }, [left('changed')])).toBe('left');
    expect(unsettledOf({ cleanupPending: false, status: 'active' }, [left('missing')])).toBeNull();
  });
});
