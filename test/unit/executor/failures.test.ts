import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureOf, inStepsWords, mayClearUp } from '../../../src/workflows/executor/failures.ts';

const inActivity = (cause: Error) =>
  new ActivityFailure('Activity task failed', 'dns-record.ensure', '1', 'MAXIMUM_ATTEMPTS_REACHED', undefined, cause);

describe('failureOf', () => {
  it('takes code, words and the last thing seen from the activity', () => {
    const cause = ApplicationFailure.nonRetryable('cannot create', 'OWNERSHIP_CONFLICT', {
      detail: 'a foreign record',
    });
    const expected = {
      code: 'OWNERSHIP_CONFLICT',
      message: 'cannot create',
      stepId: 'dns',
      detail: 'a foreign record',
    };
    expect(failureOf(inActivity(cause), 'dns')).toEqual(expected);
    expect(failureOf(ApplicationFailure.nonRetryable('x', 'THROTTLED', 'seen'))).toMatchObject({ detail: 'seen' });
  });

  it('is UNCLEAR after a time-out of an attempt, DEADLINE_EXCEEDED after one of the whole', () => {
    const timeout = (type: 'START_TO_CLOSE' | 'SCHEDULE_TO_CLOSE') => new TimeoutFailure('timed out', undefined, type);
    expect(failureOf(inActivity(timeout('START_TO_CLOSE')), 'a')).toMatchObject({ code: 'UNCLEAR', stepId: 'a' });
    expect(failureOf(inActivity(timeout('SCHEDULE_TO_CLOSE')))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(failureOf(inActivity(new CancelledFailure('cancelled')))).toMatchObject({ code: 'UNCLEAR' });
  });
});

describe('inStepsWords', () => {
  const step = { id: 'deploy', kind: 'ecs-service', needs: [] } as const;
  const failsAs = { type: 'BackendFailed', message: 'Backend service failed to start' };
  const failure = { code: 'DEADLINE_EXCEEDED', message: 'timed out', stepId: 'deploy', detail: '0 of 1 tasks run' };

  it('keeps what happened as the detail, once', () => {
    const told = inStepsWords(failure, { ...step, failsAs });
    expect(told).toEqual({
      code: 'BackendFailed',
      message: 'Backend service failed to start',
      stepId: 'deploy',
      detail: 'DEADLINE_EXCEEDED: timed out: 0 of 1 tasks run',
    });
    expect(inStepsWords(told, { ...step, failsAs })).toEqual(told);
  });

  it('leaves the failure of a step without words of its own as it is', () => {
    expect(inStepsWords(failure, step)).toBe(failure);
    const denied = { ...failure, code: 'ACCESS_DENIED' };
    expect(inStepsWords(denied, { ...step, failsAs })).toBe(denied);
  });
});

describe('mayClearUp', () => {
  it('holds for codes that the table calls retryable only', () => {
    const codes = ['UNCLEAR', 'TENANT_DATABASE_UNAVAILABLE', 'ACCESS_DENIED', 'BackendFailed', 'TypeError'];
    expect(codes.filter((code) => mayClearUp({ code, message: '' }))).toEqual([
      'UNCLEAR',
      'TENANT_DATABASE_UNAVAILABLE',
    ]);
  });
});
