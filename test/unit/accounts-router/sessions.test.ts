import { describe, expect, it } from 'vitest';
import {
  accountSessionPolicy,
  createAccountSessions,
  type AccountLocation,
  type AssumeRoleInput,
} from '../../../src/accounts-router/index.ts';
import { own, ownId } from './fixture.ts';

const tableArn = 'arn:aws:dynamodb:eu-central-1:123456789012:table/shared';
const location: AccountLocation = { accountId: ownId, cloudType: 'public', tableName: 'shared', tableArn };
const roleArn = 'arn:aws:iam::123456789012:role/accounts';

describe('the policy of an account’s session', () => {
  it('allows calls by key, whose leading keys are all the account’s own, and there is one', () => {
    const { Statement } = accountSessionPolicy({ accountId: ownId, tableArn });
    expect(Statement.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual([
      {
        Resource: [tableArn],
        Condition: {
          'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [own] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      },
      {
        Resource: [`${tableArn}/index/*`],
        Condition: {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [own, `${own}#*`] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      },
    ]);
    const allowed = Statement.flatMap(({ Action }) => Action);
    expect(allowed).toContain('dynamodb:Query');
    expect(allowed.filter((action) => /Scan|PartiQL|\*|Table/.test(action))).toEqual([]);
  });

  it('for the fence item allows that one, by its key, and no row', () => {
    expect(accountSessionPolicy({ accountId: ownId, tableArn, isFence: true }).Statement).toEqual([
      {
        ...{ Sid: 'Fence', Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], Resource: [tableArn] },
        Condition: {
          'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [`${own}#FENCE`] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      },
    ]);
  });

  it('allows the key of an encrypted table by way of DynamoDB, and stays below what STS takes', () => {
    const kmsKeyArn = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const policy = accountSessionPolicy({ accountId: ownId, tableArn: `${tableArn}${'x'.repeat(248)}`, kmsKeyArn });
    expect(policy.Statement[2]).toMatchObject({
      Resource: [kmsKeyArn],
      Condition: { StringLike: { 'kms:ViaService': 'dynamodb.eu-central-1.*' } },
    });
    expect(JSON.stringify(policy).length).toBeLessThan(2_048);
  });

  it.each(['*', `${tableArn}*`, `${tableArn}/index/*`, 'arn:aws:dynamodb:*:123456789012:table/shared', ''])(
    'is of one table: %j is refused',
    (arn) => {
      const refused = expect.objectContaining({ code: 'ACCOUNT_PARAMETERS_INVALID' }) as Error;
      expect(() => accountSessionPolicy({ accountId: ownId, tableArn: arn })).toThrow(refused);
      expect(() => accountSessionPolicy({ accountId: ownId, tableArn, kmsKeyArn: arn })).toThrow(refused);
    },
  );

  it('is of one account', () => {
    expect(() => accountSessionPolicy({ accountId: '*', tableArn })).toThrow(
      expect.objectContaining({ code: 'ACCOUNT_ID_INVALID' }),
    );
  });
});

describe('a client for each account', () => {
  function open(answer: object = {}) {
    const asked: AssumeRoleInput[] = [];
    const Credentials = {
      ...{ AccessKeyId: 'ASIA', SecretAccessKey: 'secret', SessionToken: 'token' },
      Expiration: new Date(Date.now() + 3_600_000),
    };
    const assumeRole = async (input: AssumeRoleInput) => {
      asked.push(input);
      return { Credentials, ...answer };
    };
    const sessions = createAccountSessions({ assumeRole, roleArn, client: { region: 'eu-central-1' }, mostClients: 2 });
    return { asked, sessions };
  }

  it('has the credentials of the account’s own session, asked for when they are needed', async () => {
    const { asked, sessions } = open();
    const client = sessions.clientOf(location);
    expect(sessions.clientOf({ ...location })).toBe(client);
    expect(asked).toEqual([]);
    expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'ASIA', sessionToken: 'token' });
    await client.config.credentials();
    expect(asked).toEqual([
      {
        ...{ RoleArn: roleArn, RoleSessionName: `account-${ownId}`, DurationSeconds: 900 },
        Policy: JSON.stringify(accountSessionPolicy({ accountId: ownId, tableArn })),
      },
    ]);
    sessions.destroy();
  });

  it('is another one for another table of the account, and is dropped when there are too many', () => {
    const { sessions } = open();
    const first = sessions.clientOf(location);
    for (const tableName of ['other', 'third']) {
      const moved = { ...location, tableName, tableArn: tableArn.replace('shared', tableName) };
      expect(sessions.clientOf(moved)).not.toBe(first);
    }
    expect(sessions.clientOf(location)).not.toBe(first);
    sessions.destroy();
  });

  it('is another one for the fence item: only that one reaches it', async () => {
    const { asked, sessions } = open();
    for (const isFence of [false, true]) await sessions.clientOf({ ...location, isFence }).config.credentials();
    expect(sessions.clientOf({ ...location, isFence: false })).toBe(sessions.clientOf(location));
    expect(asked.map(({ Policy }) => Policy.includes('#FENCE'))).toEqual([false, true]);
    sessions.destroy();
  });

  it('is made for a table whose ARN is known, and is the one of its name', () => {
    const { sessions } = open();
    for (const arn of [undefined, tableArn.replace('shared', 'other')])
      expect(() => sessions.clientOf({ ...location, tableArn: arn })).toThrow(
        expect.objectContaining({ code: 'ACCOUNT_PARAMETERS_INVALID' }),
      );
    sessions.destroy();
  });

  it('fails when STS gives no credentials', async () => {
    const { sessions } = open({ Credentials: { AccessKeyId: 'ASIA' } });
    await expect(sessions.clientOf(location).config.credentials()).rejects.toMatchObject({ code: 'SESSION_FAILED' });
    sessions.destroy();
  });
});
