import { describe, expect, it } from 'vitest';
import { currentCallContext, inCallContext, type StepCaller } from '../../../src/aws/call-context.ts';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { StepError } from '../../../src/contracts/step-error.ts';
import { accountCopy } from '../../../src/kinds/account-copy/kind.ts';
import { accountSwitch } from '../../../src/kinds/account-switch/kind.ts';
import { movingAccount, type MovingAccount } from './account-world.ts';
import { contextOf, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();

type Change = Parameters<CellAws['fences']['change']>;

function switching(account: MovingAccount, settings: ContextSettings<'account-switch'>) {
  const spec = { ...account.spec, position: account.position };
  return contextOf<'account-switch'>(world, account.tenant, spec, { stepId: 'close', ...settings });
}

async function copiedAccount(): Promise<MovingAccount> {
  const account = await movingAccount(world);
  await account.fill(10);
  const spec = { ...account.spec, position: account.position };
  await accountCopy.ensure(contextOf<'account-copy'>(world, account.tenant, spec, { stepId: 'copy' }));
  return account;
}

/** Fails the first time for each key, after the call was made. */
function losingAnswers() {
  const lost = new Set<string>();
  return async <T>(key: string, code: 'UNCLEAR' | 'AWS_UNAVAILABLE', call: () => Promise<T>): Promise<T> => {
    const answer = await call();
    if (lost.has(key)) return answer;
    lost.add(key);
    throw new StepError(code, `the answer of ${key} was lost`);
  };
}

describe('a call of account-switch whose answer is lost', () => {
  it('does not end the attempt: neither a read, nor what closes the fence and proves the rows, nor the switch', async () => {
    const account = await copiedAccount();
    const { fences, locks } = world.aws;
    const once = losingAnswers();
    const aws: CellAws = {
      ...world.aws,
      fences: {
        ...fences,
        find: (place) => once('find', 'AWS_UNAVAILABLE', () => fences.find(place)),
        change: (place, condition, change) => {
          const call = () => fences.change(place, condition, change);
          return change.state === 'open' ? call() : once(`change ${change.state ?? ''}`, 'UNCLEAR', call);
        },
      },
      locks: {
        ...locks,
        find: (place) => once('find lock', 'AWS_UNAVAILABLE', () => locks.find(place)),
        take: (...given) => once('take', 'UNCLEAR', () => locks.take(...given)),
        seal: (...given) => once('seal', 'UNCLEAR', () => locks.seal(...given)),
      },
    };
    const { outputs, status } = await accountSwitch.ensure(switching(account, { aws }));
    expect(status).toBe('ready');
    expect(await account.fence()).toMatchObject({ state: 'closed', count: 10, attempt: outputs.attempt });
    await accountSwitch.remove(switching(account, { aws, removingAt: new Date(), isPastCommit: true }));
    expect(await account.fence()).toMatchObject({ state: 'moved', count: 10 });
  });

  it('closes nothing when it lands after the attempt has failed', async () => {
    const account = await copiedAccount();
    const { fences } = world.aws;
    let late: Change | undefined;
    const aws: CellAws = {
      ...world.aws,
      fences: {
        ...fences,
        change: (...given) => {
          const [, , { state, verified }] = given;
          if (state === 'closed' && !late) {
            late = given;
            return Promise.reject(new StepError('UNCLEAR', 'it is under way'));
          }
          if (verified) return Promise.reject(new StepError('ACCESS_DENIED', 'not allowed any more'));
          return fences.change(...given);
        },
      },
    };
    expect(await stepErrorOf(accountSwitch.ensure(switching(account, { aws })))).toMatchObject({
      code: 'ACCESS_DENIED',
    });
    expect(await account.fence()).toMatchObject({ state: 'open' });
    if (!late) throw new Error('the fence was closed');
    expect(await fences.change(...late)).toBe(false);
  });

  it('opens the fence again in the name of its step', async () => {
    const account = await copiedAccount();
    const { fences } = world.aws;
    const callers: (StepCaller | undefined)[] = [];
    const aws: CellAws = {
      ...world.aws,
      fences: {
        ...fences,
        change: (...given) => {
          const [, , { attempt, verified }] = given;
          if (verified) return Promise.reject(new StepError('ACCESS_DENIED', 'not allowed any more'));
          if (attempt === null) callers.push(currentCallContext()?.caller);
          return fences.change(...given);
        },
      },
    };
    const caller: StepCaller = { operationId: 'move-1', stepId: 'close', verb: 'ensure' };
    const context = { caller, beforeMutation: () => Promise.resolve(), signal: new AbortController().signal };
    const error = await stepErrorOf(inCallContext(context, () => accountSwitch.ensure(switching(account, { aws }))));
    expect(error).toMatchObject({ code: 'ACCESS_DENIED' });
    expect(callers).toEqual([caller]);
  });
});
