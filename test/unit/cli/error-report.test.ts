import { expect, it } from 'vitest';
import { reportOf } from '../../../src/cli/error-report.ts';

it('says the causes of a failure, and none that the message says already', () => {
  const cause = new Error('there is no field "kind"');
  const said = new Error(`tenantry.config.ts cannot be used: ${cause.message}`, { cause });
  expect(reportOf(new Error('the API did not start', { cause: said })).message).toBe(
    'the API did not start\n  because: tenantry.config.ts cannot be used: there is no field "kind"',
  );
});
