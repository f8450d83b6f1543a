import { expect, it } from 'vitest';
import { fieldsWithoutSecrets } from '../../src/contracts/secret-fields.ts';

it('masks what is named a secret at any depth, and leaves the rest as JSON has it', () => {
  const at = new Date('2026-12-01T00:00:00Z');
  const fields = { expiresAt: at, list: [{ at, apiKey: 'k' }], password: 'p', passwordArn: 'arn:x', none: null };
  expect(fieldsWithoutSecrets(fields)).toEqual({
    expiresAt: '2026-12-01T00:00:00.000Z',
    list: [{ at: '2026-12-01T00:00:00.000Z', apiKey: '[masked]' }],
    password: '[masked]',
    passwordArn: 'arn:x',
    none: null,
  });
});

it('masks what an object says that it is, and name and password of a URL', () => {
  const sealed = { toJSON: () => ({ token: 't', url: 'postgres://user:word@host/db' }) };
  expect(fieldsWithoutSecrets({ sealed })).toEqual({
    sealed: { token: '[masked]', url: 'postgres://[masked]@host/db' },
  });
});
