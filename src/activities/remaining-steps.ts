import type { PlannedStep } from '../contracts/blueprint.ts';

/**
 * The plan without some steps, its order kept: whatever waited for a step that is left out waits for what that one
 * waited for, upwards (`needs`) and on the way down (`removeAfter`).
 */
export function withoutSteps(steps: readonly PlannedStep[], leftOut: ReadonlySet<string>): PlannedStep[] {
  let left = [...steps];
  for (const gone of steps) if (leftOut.has(gone.id)) left = without(left, gone.id);
  return left;
}

function without(steps: readonly PlannedStep[], id: string): PlannedStep[] {
  const gone = steps.find((s) => s.id === id);
  if (!gone) return [...steps];
  // What had to be gone before this step could go.
  const before = [...steps.filter((s) => s.needs.includes(id)).map((s) => s.id), ...(gone.removeAfter ?? [])];
  return steps
    .filter((s) => s.id !== id)
    .map((s) => ({
      ...s,
      needs: spliced(s.needs, id, gone.needs),
      ...(s.removeAfter ? { removeAfter: spliced(s.removeAfter, id, before).filter((other) => other !== s.id) } : {}),
    }));
}

function spliced(ids: readonly string[], id: string, by: readonly string[]): string[] {
  return ids.includes(id) ? [...new Set([...ids.filter((other) => other !== id), ...by])] : [...ids];
}
