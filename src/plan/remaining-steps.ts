import type { Ordered } from './graph.ts';

/**
 * The plan without some steps, its order kept: whatever waited for a step that is left out waits for what that one
 * waited for, upwards (`needs`) and on the way down (`removeAfter`).
 */
export function withoutSteps<S extends Ordered>(steps: readonly S[], leftOut: ReadonlySet<string>): S[] {
  let left = [...steps];
  for (const gone of steps) if (leftOut.has(gone.id)) left = without(left, gone.id);
  return left;
}

function without<S extends Ordered>(steps: readonly S[], id: string): S[] {
  const gone = steps.find((s) => s.id === id);
  if (!gone) return [...steps];
  // What had to be gone before this step could go.
  const before = [...steps.filter((s) => s.needs.includes(id)).map((s) => s.id), ...(gone.removeAfter ?? [])];
  return steps
    .filter((s) => s.id !== id)
    .map((s) => {
      const removeAfter = new Set(spliced(s.removeAfter ?? [], id, before));
      // What it needed had to outlast it, and so whatever it waited for on the way down.
      if (gone.needs.includes(s.id)) for (const other of gone.removeAfter ?? []) removeAfter.add(other);
      removeAfter.delete(s.id);
      return {
        ...s,
        needs: spliced(s.needs, id, gone.needs),
        removeAfter: removeAfter.size > 0 ? [...removeAfter] : undefined,
      };
    });
}

function spliced(ids: readonly string[], id: string, by: readonly string[]): string[] {
  return ids.includes(id) ? [...new Set([...ids.filter((other) => other !== id), ...by])] : [...ids];
}
