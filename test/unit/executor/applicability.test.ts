import { describe, expect, it } from 'vitest';
import { cancelRefusal, retryRefusal } from '../../../src/contracts/applicability.ts';
import { closedOperationStates, openOperationStates } from '../../../src/contracts/operation-state.ts';
import { guardRefusal, lateRefusal } from '../../../src/workflows/executor/applicability.ts';

const states = [...openOperationStates, ...closedOperationStates];

describe('cancel', () => {
  it('applies to a provisioning up to its point of no return', () => {
    const applies = states.filter((state) => cancelRefusal('provision', state) === undefined);
    expect(applies).toEqual(['accepted', 'running', 'holding']);
  });

  it('never applies to a deprovisioning', () => {
    expect(states.filter((state) => cancelRefusal('deprovision', state) === undefined)).toEqual([]);
  });
});

describe('retry', () => {
  it('applies while holding and while stuck', () => {
    expect(states.filter((state) => retryRefusal(state) === undefined)).toEqual(['holding', 'stuck']);
  });
});

describe('a request that names until when it is to be taken', () => {
  it('is refused after that time, and one that names none never is', () => {
    const at = Date.parse('2026-01-31T03:00:00.000Z');
    expect(lateRefusal('2026-01-31T03:00:00.000Z', at)).toBeUndefined();
    expect(lateRefusal('2026-01-31T03:00:00.000Z', at + 1)).toContain('too late');
    for (const none of [undefined, null, 7, 'soon']) expect(lateRefusal(none, at)).toBeUndefined();
  });
});

describe('the guard', () => {
  it('lets requests through that name no operation or this one', () => {
    for (const named of [undefined, null, 'this']) expect(guardRefusal('this', named)).toBeUndefined();
  });

  it('refuses all others, whatever they carry', () => {
    for (const named of ['that', '', 7, {}, ['this']])
      expect(guardRefusal('this', named)).toMatch(/meant for operation/);
  });
});
