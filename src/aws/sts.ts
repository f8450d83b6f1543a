import { setTimeout as sleep } from 'node:timers/promises';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { errorInfo } from '../contracts/errors.ts';
import { StepError } from '../contracts/step-error.ts';
import { sent } from './errors.ts';

export interface Caller {
  readonly accountId: string;
  readonly arn: string;
}

export interface Identity {
  /** Who the worker is in this cell. @throws StepError CREDENTIALS_MISSING or ACCESS_DENIED */
  whoAmI(): Promise<Caller>;
}

export function createIdentity(client: STSClient): Identity {
  return {
    async whoAmI() {
      const answer = await client.send(new GetCallerIdentityCommand({}));
      const call = { service: 'sts', action: 'GetCallerIdentity' };
      return { accountId: sent(answer.Account, call, 'Account'), arn: sent(answer.Arn, call, 'Arn') };
    },
  };
}

export interface CallerRetry {
  /** How long a failure that may pass is tried again, in ms. */
  readonly forMs: number;
  readonly everyMs: number;
  /** Ends the tries early. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, when the first try has failed. */
  readonly onWait?: (reason: string) => void;
}

/**
 * Who we are in a cell. A failure that may pass by itself is tried again for a while: a credential endpoint that restarts, a
 * clock that the SDK corrects. @throws StepError the last one
 */
export async function findCaller(identity: Identity, retry: CallerRetry): Promise<Caller> {
  const untilMs = performance.now() + retry.forMs;
  for (let waits = false; ; waits = true) {
    try {
      return await identity.whoAmI();
    } catch (error) {
      if (!mayPass(error) || performance.now() + retry.everyMs > untilMs) throw error;
      if (!waits) retry.onWait?.(error.message);
      await sleep(retry.everyMs, undefined, { signal: retry.signal }).catch(() => undefined);
      if (retry.signal?.aborted) throw error;
    }
  }
}

/** Whether a call for the caller got no answer of AWS: nothing is known of the credentials then. */
export function isUnanswered(error: unknown): error is StepError {
  return error instanceof StepError && ['AWS_UNAVAILABLE', 'AWS_ANSWER_UNREADABLE'].includes(error.code);
}

function mayPass(error: unknown): error is StepError {
  return error instanceof StepError && errorInfo(error.code)?.retryable === true;
}
