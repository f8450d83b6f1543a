import { describe, expect, it } from 'vitest';
import { eventOfAccount } from '../../../src/cli/account-subject.ts';
import type { TenantEvent } from '../../../src/cli/api-client.ts';
import { eventLine } from '../../../src/cli/progress.ts';

const event = (type: string, data: TenantEvent['data']): TenantEvent => ({
  ...{ id: 1, at: '2026-01-01T10:00:00.000Z', tenantId: 'id', cell: 'default', operationId: null, stepId: null },
  ...{ type, data },
});
const said = (type: string, data: TenantEvent['data']) => {
  const told = eventOfAccount(event(type, data));
  return told && eventLine(told, false, 'account');
};

describe('an event of an account', () => {
  it.each([
    ['pending', 'validating', 'account.status creating'],
    ['validating', 'creating', undefined],
    ['creating', 'active', 'account.status active'],
    ['active', 'updating', undefined],
    ['active', 'migrating', undefined],
    ['migrating', 'active', undefined],
    ['active', 'deleting', 'account.status deleting'],
    ['deleting', 'deleted', 'account.status deleted'],
  ])('from %s to %s is told in its own words', (from, to, line) => {
    expect(said('tenant.status', { from, to })).toBe(line === undefined ? undefined : `10:00:00  ${line}`);
  });

  it('of a later release is shown as it is', () => {
    expect(said('tenant.status', { from: 'active', to: 'resting' })).toBe('10:00:00  account.status resting');
    expect(said('tenant.status', {})).toBe('10:00:00  account.status');
  });

  it('of its details names its fields', () => {
    const change = { from: 'a', to: 'b' };
    expect(said('tenant.details', { displayName: change, contactEmail: change })).toBe(
      '10:00:00  account.details name, technicalUser.email',
    );
  });

  it('of an operation is said as it is', () => {
    expect(said('operation.state', { from: 'running', to: 'committing' })).toBe('10:00:00  operation.state committing');
  });
});
