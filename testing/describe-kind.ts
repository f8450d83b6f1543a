import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Kind } from '../src/kinds/framework/kind.ts';
import { startBenches, type BenchSet } from './bench.ts';
import { conformanceCases } from './cases/cases.ts';
import type { ConformanceParts } from './parts.ts';
import type { Sample } from './sample.ts';

export interface ConformanceOptions {
  /** At least one: steps that make the kind's thing, each with what it needs before it. */
  readonly samples: readonly Sample[];
  /** Other kinds that the samples have steps of, beside those that come with Tenantry. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Servers that run already; absent: started, and stopped at the end. */
  readonly parts?: (() => Promise<ConformanceParts>) | undefined;
}

const CASE_LIMIT_MS = 240_000;

/** Declares the tests of everything that a kind promises, on real servers: PostgreSQL, and MiniStack behind the gateway. */
export function describeKind(kind: Kind, options: ConformanceOptions): void {
  describe(`kind ${kind.name}`, () => {
    let benches: BenchSet;
    beforeAll(async () => {
      const products = options.samples.map(({ product }) => product);
      const parts = await options.parts?.();
      benches = await startBenches(kind, { parts, kinds: options.kinds, products });
    }, CASE_LIMIT_MS);
    afterAll(() => benches.close());

    describe.each(options.samples)('as $name', (sample) => {
      for (const { name, run } of conformanceCases) it(name, () => run(benches.of(sample)), CASE_LIMIT_MS);
    });
  });
}
