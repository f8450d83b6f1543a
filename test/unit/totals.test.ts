import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tenantry-totals-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('the ten slowest tests of all suites together are printed before the last line', () => {
  const suite = (name: string, seconds: readonly number[]) => ({
    passed: seconds.length,
    failed: 0,
    failures: [],
    slowest: seconds.map((s) => ({ test: `${name} takes ${s} s`, ms: s * 1000 })),
  });
  const lines = printed([
    suite('one', [1, 30, 2, 3, 4, 5, 6]),
    // A part that does not know its tests' times.
    { passed: 1, failed: 0 },
    suite('other', [200, 7, 8, 9, 10]),
  ]);
  expect(lines.slice(-13)).toEqual([
    'The 10 slowest tests:',
    ...[200, 30, 10, 9, 8, 7, 6, 5, 4, 3].map((seconds) => {
      const suiteOf = [200, 10, 9, 8, 7].includes(seconds) ? 'other' : 'one';
      return `${seconds.toFixed(1).padStart(8)} s  ${suiteOf} takes ${seconds} s`;
    }),
    '',
    '13 passed, 0 failed',
  ]);
});

function printed(parts: readonly object[]): string[] {
  const file = join(directory, 'totals');
  writeFileSync(file, parts.map((part) => `${JSON.stringify(part)}\n`).join(''));
  return execFileSync(process.execPath, ['scripts/totals.mjs', file], { cwd: root, encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}
