import { describe, expect, it } from 'vitest';
import { cancelRefusal, retryRefusal } from '../../../src/contracts/applicability.ts';
import { closedOperationStates, openOperationStates } from '../../../src/contracts/operation-state.ts';
import { guardRefusal } from '../../../src/workflows/executor/applicability.ts';

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

describe('the guard', () => {
  it('lets requests through that name no operation or this one', () => {
    for (const named of [undefined, null, 'this']) expect(guardRefusal('this', named)).toBeUndefined();
  });

  it('refuses all others, whatever they carry', () => {
    for (const named of ['that', '', 7, {}, ['this']])
      expect(guardRefusal('this', named)).toMatch(/meant for operation/);
  });
});
