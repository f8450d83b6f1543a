import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderBenchmarks } from '../../bench/page.ts';
import { readResults } from '../../bench/results.ts';

it('docs/benchmarks.md is what the raw figures render to (npm run bench -- page)', () => {
  const page = renderBenchmarks(readResults());
  expect(readFileSync(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8')).toBe(page);
});
