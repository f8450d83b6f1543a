import { describe, expect, it } from 'vitest';
import {
  describeItem,
  difference,
  isEmpty,
  isOfTenant,
  mentions,
  only,
  renderDifference,
  withoutResidues,
  type InventoryItem,
} from '../../../sandbox/inventory/inventory.ts';

const tenantId = '8c0b8f0e-6a55-4c5a-9f6f-3a4f0e1d2c3b';
const item = (id: string, more: Partial<InventoryItem> = {}): InventoryItem => ({ kind: 'ecs:service', id, ...more });

describe('a difference', () => {
  it('reads like a diff: what went, changed and came, each sorted', () => {
    const before = [
      item('z', { detail: { desiredCount: '1', status: 'ACTIVE' } }),
      item('b', { name: 'web', detail: { desiredCount: '1' } }),
      item('same', { settings: { vpc: 'v' } }),
      item('gone'),
    ];
    const after = [
      item('new-2', {
        detail: { desiredCount: '2' },
        owner: { installation: 'i', tenantId: 't', step: 's', operationId: 'o' },
      }),
      item('new-1', { residue: 'kept' }),
      item('same', { settings: { vpc: 'v' } }),
      item('z', { detail: { desiredCount: '0', status: 'DRAINING' }, settings: { hidden: 'yes' } }),
      item('b', { name: 'web', detail: {}, tags: { team: 'a' } }),
    ];
    expect(renderDifference(difference(before, after))).toBe(
      [
        '- ecs:service gone',
        '~ ecs:service web: desiredCount 1 -> (none), tag team (none) -> a',
        '~ ecs:service z: desiredCount 1 -> 0, status ACTIVE -> DRAINING, hidden (none) -> yes',
        '+ ecs:service new-1 (residue: kept)',
        '+ ecs:service new-2 (desiredCount 2) [tenant t, s]',
      ].join('\n'),
    );
  });

  it('of equal inventories is empty, whatever their order', () => {
    const diff = difference([item('a'), item('b', { tags: { x: 'y' } })], [item('b', { tags: { x: 'y' } }), item('a')]);
    expect(isEmpty(diff)).toBe(true);
    expect(renderDifference(diff)).toBe('');
    expect(isEmpty(difference([item('a')], [item('a', { residue: 'kept' })]))).toBe(false);
  });

  it('takes a thing of another kind, or another ARN under the same name, for another', () => {
    expect(difference([item('a')], [{ kind: 'ecs:task', id: 'a' }])).toMatchObject({ added: [{}], removed: [{}] });
    expect(difference([item('1', { name: 'n' })], [item('2', { name: 'n' })])).toMatchObject({
      added: [{}],
      removed: [{}],
    });
  });

  it('keeps names from breaking its lines', () => {
    expect(describeItem(item('a\n+ ecs:service forged'))).toBe('ecs:service a + ecs:service forged');
  });
});

describe('a selection', () => {
  it("finds a tenant's things by owner, id, slug as a word, and texts", () => {
    const isMine = isOfTenant({ tenantId, slug: 'acme', texts: ['t-0a1b'] });
    const mine = [
      item('1', { owner: { installation: 'i', tenantId } }),
      item('2', { name: `tenant_${tenantId.replaceAll('-', '')}` }),
      item('3', { name: 'moamalat-acme-backend' }),
      item('4', { detail: { when: 'host-header=acme.moamalat-pro.com' } }),
      item('5', { name: 't-0a1b-be' }),
    ];
    const others = [
      item('6', { name: 'moamalat-acme-backend', owner: { installation: 'i', tenantId: 'another' } }),
      item('7', { name: 'moamalat-acmeville-backend' }),
      item('8', { name: 'moamalat-company-x' }),
    ];
    expect(only([...mine, ...others], isMine)).toEqual(mine);
  });

  it('passes a change when either of its sides passes', () => {
    const diff = difference(
      [item('a', { detail: { host: 'x.com' } })],
      [item('a', { detail: { host: 'y.com' } }), item('b')],
    );
    expect(only(diff, mentions('X.com')).changed).toHaveLength(1);
    expect(only(diff, mentions('y.com'))).toMatchObject({ added: [], changed: [{}] });
    expect(isEmpty(only(diff, mentions('z.com', '')))).toBe(true);
  });

  it('passes over what only AWS keeps, not over what became of it', () => {
    const diff = difference(
      [item('a'), item('b', { residue: 'r' })],
      [item('a', { residue: 'r' }), item('c', { residue: 'r' })],
    );
    expect(withoutResidues(diff)).toMatchObject({ added: [], removed: [], changed: [{ after: { id: 'a' } }] });
  });
});
