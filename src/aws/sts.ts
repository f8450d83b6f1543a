import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { sent } from './errors.ts';

export interface Identity {
  /** Who the worker is in this cell. @throws StepError CREDENTIALS_MISSING or ACCESS_DENIED */
  whoAmI(): Promise<{ readonly accountId: string; readonly arn: string }>;
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
