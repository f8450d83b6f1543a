import type { ConformanceCase } from './case.ts';
import { boundsCases } from './bounds.ts';
import { changeCases } from './changes.ts';
import { dataCases } from './data.ts';
import { faultCase } from './faults.ts';
import { lateRemovalCase } from './late-removal.ts';
import { lifeCases } from './life.ts';
import { listingCases } from './listing.ts';
import { ownershipCases } from './ownership.ts';
import { secretCase } from './secrets.ts';

/** All that is proven of every kind. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...lifeCases,
  ...listingCases,
  ...ownershipCases,
  ...boundsCases,
  ...changeCases,
  ...dataCases,
  lateRemovalCase,
  secretCase,
  faultCase,
];
