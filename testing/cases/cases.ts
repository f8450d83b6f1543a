import type { ConformanceCase } from './case.ts';
import { faultCase } from './faults.ts';
import { lifeCases } from './life.ts';
import { listingCases } from './listing.ts';

/** All that is proven of every kind. */
export const conformanceCases: readonly ConformanceCase[] = [...lifeCases, ...listingCases, faultCase];
