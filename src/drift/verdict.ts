import type { Difference, DriftFinding, UnseenStep } from '../contracts/drift.ts';
import { isSameJson } from '../contracts/stable-json.ts';

/** One look at a step: what differs, or why nobody knows. */
export type StepLook =
  | { readonly stepId: string; readonly differences: readonly Difference[] }
  | { readonly stepId: string; readonly unseen: Omit<UnseenStep, 'stepId'> };

export interface Verdict {
  readonly findings: readonly DriftFinding[];
  readonly unseen: readonly UnseenStep[];
}

/** Steps whose look is to be followed by a second one. Pure. */
export function toConfirm(looks: readonly StepLook[]): string[] {
  return looks.flatMap((look) => ('differences' in look && look.differences.length > 0 ? [look.stepId] : []));
}

/**
 * What two looks at the same steps, some seconds apart, prove. A difference counts when both saw it, as the second one saw it: one look
 * may be older than what was there. Where either could not look, nothing is said of the step. Pure.
 *
 * @param second of the steps that `toConfirm` named
 */
export function verdictOf(first: readonly StepLook[], second: readonly StepLook[]): Verdict {
  const again = new Map(second.map((look) => [look.stepId, look]));
  const findings: DriftFinding[] = [];
  const unseen: UnseenStep[] = [];
  for (const look of first) {
    const { stepId } = look;
    if ('unseen' in look) unseen.push({ stepId, ...look.unseen });
    else if (look.differences.length > 0) {
      const confirming = again.get(stepId);
      if (!confirming) unseen.push({ stepId, code: 'UNCLEAR', message: 'no second look at it was taken' });
      else if ('unseen' in confirming) unseen.push({ stepId, ...confirming.unseen });
      else findings.push(...confirmed(look.differences, confirming.differences).map((one) => findingOf(stepId, one)));
    }
  }
  return { findings, unseen };
}

function confirmed(first: readonly Difference[], second: readonly Difference[]): Difference[] {
  return second.filter((seen) => first.some((before) => isSameDifference(before, seen)));
}

/** Of a changed field the value may change between the looks; of extras the value says which one it is. */
function isSameDifference(a: Difference, b: Difference): boolean {
  return a.is === b.is && a.field === b.field && (a.is !== 'extra' || isSameJson(a.found, b.found));
}

function findingOf(stepId: string, { is, field, wanted, found, remedy = 'repair' }: Difference): DriftFinding {
  return { stepId, is, field, wanted: wanted ?? null, found: found ?? null, remedy, source: 'look' };
}
