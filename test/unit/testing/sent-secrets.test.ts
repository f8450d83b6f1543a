import { describe, expect, it } from 'vitest';
import { secretPartsOf, secretsIn } from '../../../testing/sent-secrets.ts';

const sent = (text: string, token?: string) =>
  secretsIn({ service: 'any', action: 'Any', body: Buffer.from(text), token }).map(({ name, value }) => [name, value]);

describe('secrets in a call', () => {
  it('are found in JSON, also as pairs and inside values that are JSON', () => {
    const SecretString = JSON.stringify({ username: 'somebody', password: 'password-in-json' });
    const environment = [{ name: 'DB_PASSWORD', value: 'password-of-a-pair' }];
    const found = sent(JSON.stringify({ Name: 'of-no-secret', SecretString, environment, AuthToken: 'token-of-auth' }));
    expect(found).toEqual([
      ['SecretString of any:Any', SecretString],
      ['password of any:Any', 'password-in-json'],
      ['DB_PASSWORD of any:Any', 'password-of-a-pair'],
      ['AuthToken of any:Any', 'token-of-auth'],
    ]);
  });

  it('are found in a parameter that is stored as one', () => {
    expect(sent('{"Name":"/a/parameter","Type":"SecureString","Value":"secret-value"}')).toHaveLength(1);
    expect(sent('{"Name":"/a/parameter","Type":"String","Value":"public-value"}')).toEqual([]);
  });

  it('are found in forms and XML', () => {
    expect(sent('Action=CreateDBInstance&MasterUserPassword=master%20password')).toEqual([
      ['MasterUserPassword of any:Any', 'master password'],
    ]);
    expect(sent('<User><TemporaryPassword>temporary-one</TemporaryPassword></User>')).toEqual([
      ['TemporaryPassword of any:Any', 'temporary-one'],
    ]);
  });

  it('are no tokens of requests or pages, no ARNs and no ids of secrets', () => {
    const token = '0123456789abcdef0123456789abcdef';
    const fields = { ClientRequestToken: token, nextToken: 'page-of-a-list', SecretId: 'name-of-a-secret' };
    expect(
      sent(JSON.stringify({ ...fields, token, secret: 'arn:aws:secretsmanager:us-east-1:1:secret:a' }), token),
    ).toEqual([]);
  });

  it('that a stored secret holds as JSON are secrets too', () => {
    const value = JSON.stringify({ host: 'a-long-host-name', password: 'part-of-a-secret' });
    expect(secretPartsOf({ name: 'the secret', value })).toEqual([
      { name: 'password in the secret', value: 'part-of-a-secret' },
    ]);
  });
});
