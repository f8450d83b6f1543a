import { refField, refStep, refsIn } from '../contracts/blueprint.ts';

/** What a reference may name: the outputs of a step, and whether it is ready. */
export interface Source {
  readonly ready: boolean;
  readonly outputs: Readonly<Record<string, unknown>> | null;
}

/** References of a spec that name no output of a ready step: it cannot be made. */
export function unresolvedRefs(spec: unknown, sources: ReadonlyMap<string, Source>): string[] {
  return refsIn(spec).filter((ref) => {
    const source = sources.get(refStep(ref));
    return source?.ready !== true || outputOf(ref, sources) === undefined;
  });
}

/**
 * The spec with each reference replaced by the output that it names; those that name nothing (yet, or no more) are left
 * out, with the field or list item that held them.
 */
export function resolveSpec(spec: unknown, sources: ReadonlyMap<string, Source>): unknown {
  if (Array.isArray(spec)) return spec.map((item) => resolveSpec(item, sources)).filter((item) => item !== undefined);
  if (typeof spec !== 'object' || spec === null) return spec;
  const ref = refOf(spec);
  if (ref !== undefined) return outputOf(ref, sources);
  return Object.fromEntries(
    Object.entries(spec)
      .map(([key, value]) => [key, resolveSpec(value, sources)] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function refOf(value: object): string | undefined {
  return 'ref' in value && typeof value.ref === 'string' && Object.keys(value).length === 1 ? value.ref : undefined;
}

function outputOf(ref: string, sources: ReadonlyMap<string, Source>): unknown {
  return sources.get(refStep(ref))?.outputs?.[refField(ref)];
}
