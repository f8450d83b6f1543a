import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderBenchmarks } from '../../bench/page.ts';
import { readResult } from '../../bench/results.ts';

it('docs/benchmarks.md is what the raw figures render to (npm run bench -- page)', () => {
  const page = renderBenchmarks({ lifecycle: readResult('lifecycle'), accept: readResult('accept') });
  expect(readFileSync(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8')).toBe(page);
});
