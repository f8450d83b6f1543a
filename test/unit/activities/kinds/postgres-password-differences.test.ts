import { expect, it } from 'vitest';
import { CURRENT, PREVIOUS } from '../../../../src/aws/secret-versions.ts';
import { versionDifferences } from '../../../../src/kinds/postgres-password/differences.ts';

it('a replaced password is another one where its secret is gone, or has another current version', () => {
  const told = (versions: Record<string, string> | undefined) =>
    versionDifferences('a/secret', 'second', versions && { versions });
  expect(told({ [CURRENT]: 'second', [PREVIOUS]: 'first' })).toEqual([]);
  expect(told({ [CURRENT]: 'by-hand', [PREVIOUS]: 'second' })).toEqual([
    { is: 'changed', field: 'secret.version', wanted: 'second', found: 'by-hand' },
  ]);
  expect(told(undefined)).toMatchObject([{ is: 'missing', field: 'secretsmanager:secret a/secret' }]);
});
