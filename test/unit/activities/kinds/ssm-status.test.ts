import { describe, expect, it } from 'vitest';
import { textProblem } from '../../../../src/kinds/ssm-parameters/spec.ts';
import { statusSpec } from '../../../../src/kinds/ssm-status/spec.ts';
import { errorText, failureOf } from '../../../../src/kinds/ssm-status/words.ts';

const good = {
  path: '/accounts/22222222-2222-4222-8222-222222222222/',
  statusParameter: 'provisioning-status',
  errorParameter: 'provisioning-error',
  ready: 'active',
  failed: 'failed',
  removing: 'deleting',
  drainSeconds: 360,
};

describe('the spec of a status', () => {
  it('may say nothing while the tenant is well, and wait for nobody', () => {
    expect(statusSpec.safeParse(good).success).toBe(true);
    expect(statusSpec.safeParse({ ...good, ready: undefined, drainSeconds: undefined }).success).toBe(true);
  });

  it.each([
    ['a word that says well and failed', { ready: 'failed' }],
    ['a word that says well and removing', { ready: 'deleting' }],
    ['one parameter for both', { errorParameter: 'provisioning-status' }],
    ['a word with a space', { failed: 'has failed' }],
    ['an empty word', { removing: '' }],
    ['a drain of more than an hour', { drainSeconds: 3_601 }],
    ['a path of AWS', { path: '/aws/x/' }],
    ['an unknown field', { value: 'x' }],
  ])('refuses %s', (_what, change) => {
    expect(statusSpec.safeParse({ ...good, ...change }).success).toBe(false);
  });
});

describe('why an operation takes a status away', () => {
  const failure = { code: 'SERVICE_FAILED', message: 'the stack failed' };
  const undone = { type: 'provision', failure, cancelRequestedAt: null, committedAt: null } as const;

  it('is its failure when it goes back by itself', () => {
    expect(failureOf(undone)).toEqual(failure);
    expect(failureOf({ ...undone, type: 'update' })).toEqual(failure);
  });

  it.each([
    ['was cancelled, though it had failed', { ...undone, cancelRequestedAt: new Date() }],
    ['was cancelled before anything failed', { ...undone, failure: null }],
    ['is a deletion that got stuck before', { ...undone, type: 'deprovision' as const }],
    ['drops a step past its commit', { ...undone, type: 'update' as const, committedAt: new Date() }],
    ['is not known', undefined],
  ])('is none when it %s', (_what, operation) => {
    expect(failureOf(operation)).toBeUndefined();
  });
});

describe('a failure as the value of a parameter', () => {
  it('has code, step, message and detail', () => {
    const failure = { code: 'SERVICE_FAILED', message: 'it failed', stepId: 'create_stack', detail: 'Table: quota' };
    expect(errorText(failure)).toBe('SERVICE_FAILED at create_stack: it failed (Table: quota)');
    expect(errorText({ code: 'RUN_LOST', message: 'lost' })).toBe('RUN_LOST: lost');
  });

  it.each([
    ['is longer than 1,000 characters', 'x'.repeat(5_000)],
    ['has the name of another parameter in it', 'a {{ b {{{{ c'],
    ['is cut within a character', `${'x'.repeat(1_000 - 'RUN_LOST: '.length - 1)}😀`],
    ['takes many bytes', '漢'.repeat(2_000)],
  ])('is taken by AWS when it %s', (_what, message) => {
    const text = errorText({ code: 'RUN_LOST', message });
    expect(textProblem(text)).toBeUndefined();
    expect(text.length).toBeLessThanOrEqual(1_000);
    expect(text.isWellFormed()).toBe(true);
    expect(text.startsWith('RUN_LOST: ')).toBe(true);
  });
});
