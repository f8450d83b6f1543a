import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorInfo } from '../../../src/contracts/errors.ts';
import { reportOf } from '../../../src/cli/error-report.ts';

it('says the causes of a failure, and none that the message says already', () => {
  const cause = new Error('there is no field "kind"');
  const said = new Error(`tenantry.config.ts cannot be used: ${cause.message}`, { cause });
  expect(reportOf(new Error('the API did not start', { cause: said })).message).toBe(
    'the API did not start\n  because: tenantry.config.ts cannot be used: there is no field "kind"',
  );
});

it('every code of the command line is documented, as its own or as one of the API', () => {
  const folder = new URL('../../../src/cli/', import.meta.url);
  const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
  const codes = new Set(
    sources.flatMap((text) => [...text.matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code ?? '')),
  );
  expect(codes.size).toBeGreaterThan(15);
  const documented = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const own = [...codes].filter((code) => errorInfo(code) === undefined);
  expect(own.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
});
