import type { DriftFinding } from '../contracts/drift.ts';
import type { SweepReport } from '../contracts/sweep.ts';
import type { SweptExtras } from './look-at-tenant.ts';

/** How old a report of the sweep may be whose findings count, in ms: they are listed with the whole cell, not once more. */
export const SWEPT_WITHIN_MS = 6 * 3_600_000;

/**
 * Things that bear a tenant's mark and are not in its ledger, as the newest report of its cell has them. Undefined where there is none
 * that is recent and whole. Pure.
 */
export function sweptExtras(
  newest: Pick<SweepReport, 'at' | 'findings' | 'problems'> | undefined,
  now: Date,
): (tenantId: string) => SweptExtras {
  if (!newest || newest.problems.length > 0 || now.getTime() - Date.parse(newest.at) > SWEPT_WITHIN_MS)
    return () => undefined;
  const leaks = newest.findings.filter((finding) => finding.class === 'leak');
  return (tenantId) =>
    leaks
      .filter(({ owner }) => owner.tenantId === tenantId)
      .map(({ name, owner, physicalId, type }): DriftFinding => ({
        ...{ stepId: owner.stepId ?? '', is: 'extra', field: `${type} ${name}`, wanted: null, found: physicalId },
        ...{ remedy: 'hand', source: 'sweep' },
      }));
}
