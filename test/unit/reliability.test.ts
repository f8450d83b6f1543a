import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { renderReliability } from '../../scripts/reliability/page.ts';
import type { Summary } from '../../scripts/reliability/summary.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

it('docs/reliability.md is what the numbers of its run render to, with no leak open and every mutant caught', () => {
  const numbers = JSON.parse(read('docs/reliability.json')) as Summary;
  expect(read('docs/reliability.md')).toBe(`${renderReliability(numbers)}\n`);
  expect(numbers.leaks.open).toBe(0);
  expect(numbers.mutants.filter((mutant) => mutant.caughtBy === null)).toEqual([]);
});
