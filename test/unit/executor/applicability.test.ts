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

  it('never applies to a deprovisioning without a grace period', () => {
    expect(states.filter((state) => cancelRefusal('deprovision', state) === undefined)).toEqual([]);
  });

  it('applies to one that waits for the end of its grace period, and not from that moment on', () => {
    const applies = (nowMs: number) =>
      states.filter((state) => cancelRefusal('deprovision', state, { untilMs: 1_000, nowMs }) === undefined);
    expect(applies(999)).toEqual(['accepted', 'running', 'stuck']);
    expect(applies(1_000)).toEqual([]);
    expect(cancelRefusal('deprovision', 'committing', { untilMs: 1_000, nowMs: 999 })).toContain(
      'after its grace period',
    );
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
