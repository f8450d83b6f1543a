import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, it } from 'vitest';
import { createAccountSessions, createAccountsRouter } from 'tenantry/accounts';
import { useRouterWorld } from './fixture.ts';

const world = useRouterWorld();

// That a session reaches no other account is IAM's to prove: the emulator never fills in `dynamodb:LeadingKeys`.
it('a session of each account is assumed by its first call and used by the later ones', async () => {
  const { config, ssm, addPublicAccount } = world.current;
  const [iam, sts] = [new IAMClient(config), new STSClient(config)];
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
  });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'accounts-data', AssumeRolePolicyDocument }));
  const assumed: string[] = [];
  const { endpoint, region } = config;
  const sessions = createAccountSessions({
    assumeRole: (input) => {
      assumed.push(input.RoleSessionName);
      return sts.send(new AssumeRoleCommand(input));
    },
    roleArn: Role?.Arn ?? '',
    client: { endpoint, region },
  });
  const router = createAccountsRouter({ dynamodb: sessions, ssm });
  const accounts = [await addPublicAccount(), await addPublicAccount()];
  for (const accountId of accounts) await router.put(accountId, { Item: { SK: 'A', accountId } });
  for (const accountId of accounts)
    expect((await router.query(accountId, {})).Items).toMatchObject([{ SK: 'A', accountId }]);
  expect(assumed).toEqual(accounts.map((accountId) => `account-${accountId}`));
  for (const client of [sessions, iam, sts]) client.destroy();
});
