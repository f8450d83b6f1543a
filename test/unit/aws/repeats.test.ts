import { describe, expect, it } from 'vitest';
import { inCallContext } from '../../../src/aws/call-context.ts';
import { untilAnswered, untilChanged } from '../../../src/aws/repeats.ts';
import type { ErrorCode } from '../../../src/contracts/errors.ts';
import { StepError } from '../../../src/contracts/step-error.ts';

const failure = (code: ErrorCode, retryAfterMs?: number) => new StepError(code, code, { retryAfterMs });

/** Fails with these, one after the other, and then answers. */
function failing(...errors: readonly Error[]) {
  let calls = 0;
  return {
    calls: () => calls,
    call: () => {
      const error = errors[calls++];
      return error ? Promise.reject(error) : Promise.resolve('answered');
    },
  };
}

describe('a call within a long verb', () => {
  it.each(['THROTTLED', 'AWS_UNAVAILABLE', 'AWS_ANSWER_UNREADABLE', 'CREDENTIALS_MISSING', 'UNCLEAR'] as const)(
    'is made again after %s',
    async (code) => {
      const { call, calls } = failing(failure(code));
      expect(await untilAnswered(call)).toBe('answered');
      expect(calls()).toBe(2);
    },
  );

  it.each([
    ['what does not pass', failure('ACCESS_DENIED')],
    ['a step that is taken back', failure('STEP_REVOKED')],
    ['a turn that comes too late', failure('THROTTLED', 5_000)],
    ['what is no failure of AWS', new TypeError('a defect')],
  ])('fails at once: %s', async (_what, error) => {
    const { call, calls } = failing(error);
    await expect(untilAnswered(call)).rejects.toBe(error);
    expect(calls()).toBe(1);
  });

  it('is refused for its rate as often as its caller says, and not more', async () => {
    const busy = Object.assign(new Error('too many readers'), { name: 'LimitExceededException' });
    const { call, calls } = failing(busy, busy, busy);
    await expect(untilAnswered(call, { rounds: 2, names: ['LimitExceeded'] })).rejects.toBe(busy);
    expect(calls()).toBe(2);
  });

  it('ends with its attempt, with what AWS said last', async () => {
    const controller = new AbortController();
    const error = failure('AWS_UNAVAILABLE');
    const { calls, call } = failing(error);
    const context = { beforeMutation: () => Promise.resolve(), signal: controller.signal };
    const ended = inCallContext(context, () =>
      untilAnswered(() => {
        controller.abort();
        return call();
      }),
    );
    await expect(ended).rejects.toBe(error);
    expect(calls()).toBe(1);
  });
});

/** An item that a change is made on once. @param lost how each try ends, by its number: without effect, or without an answer to it */
function item(lost: (attempt: number) => 'refused' | 'effect' | 'answer' | undefined) {
  let [state, tries, looks] = ['open', 0, 0];
  return {
    seen: () => ({ state, tries, looks }),
    be: (other: string) => (state = other),
    change: () => {
      const end = lost((tries += 1));
      if (end === 'refused') return Promise.reject(failure('THROTTLED'));
      if (end === 'effect') return Promise.reject(failure('UNCLEAR'));
      const isMade = state === 'open';
      if (isMade) state = 'mine';
      return end === 'answer' ? Promise.reject(failure('UNCLEAR')) : Promise.resolve(isMade);
    },
    isMade: () => {
      looks += 1;
      return Promise.resolve(state === 'mine');
    },
  };
}

describe('a change on a condition', () => {
  it('whose answer is lost is known to be made by a look, and not made again', async () => {
    const { change, isMade, seen } = item((tries) => (tries === 1 ? 'answer' : undefined));
    expect(await untilChanged(change, isMade)).toBe(true);
    expect(seen()).toEqual({ state: 'mine', tries: 1, looks: 1 });
  });

  it('that had no effect is made again', async () => {
    const { change, isMade, seen } = item((tries) => (tries === 1 ? 'effect' : undefined));
    expect(await untilChanged(change, isMade)).toBe(true);
    expect(seen()).toEqual({ state: 'mine', tries: 2, looks: 1 });
  });

  it('that was refused is made again without a look', async () => {
    const { change, isMade, seen } = item((tries) => (tries === 1 ? 'refused' : undefined));
    expect(await untilChanged(change, isMade)).toBe(true);
    expect(seen()).toEqual({ state: 'mine', tries: 2, looks: 0 });
  });

  it('whose condition another one took away is not made', async () => {
    const another = item(() => undefined);
    another.be('another');
    expect(await untilChanged(another.change, another.isMade)).toBe(false);
    const late = item((tries) => (tries === 1 ? 'effect' : undefined));
    const overtaken = () => late.change().finally(() => late.be('another'));
    expect(await untilChanged(overtaken, late.isMade)).toBe(false);
  });
});
