import type { ConformanceCase } from './case.ts';
import { boundsCases } from './bounds.ts';
import { faultCase } from './faults.ts';
import { lifeCases } from './life.ts';
import { listingCases } from './listing.ts';
import { ownershipCases } from './ownership.ts';

/** All that is proven of every kind. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...lifeCases,
  ...listingCases,
  ...ownershipCases,
  ...boundsCases,
  faultCase,
];
