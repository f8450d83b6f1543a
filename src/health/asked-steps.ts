import { z } from 'zod';
import type { ProbeRequest } from '../aws/probe.ts';
import type { Blueprint } from '../contracts/blueprint.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import { resolveSpec } from '../plan/spec-resolution.ts';
import { withoutTransient } from '../plan/transient-steps.ts';
import type { PartlyResolvedStep } from '../kinds/framework/kind.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { listAppliedSteps, type AppliedSteps } from '../db/tenant-health.ts';
import type { Queryable } from '../db/database.ts';

/** A step that is asked whether it serves. */
export interface AskedStep {
  readonly stepId: string;
  readonly kind: string;
  readonly request: ProbeRequest;
  readonly step: PartlyResolvedStep;
}

/** What a tenant is asked; `unreadable`: why nobody knows. */
export type Asked = readonly AskedStep[] | { readonly unreadable: string };

/** Blueprints that are read at a time. */
const READ_AT_ONCE = 100;

/** By operation: what its tenant is asked. A process reads a blueprint once, and forgets it once it is not asked for. */
export function createAskedSteps(db: Queryable, kinds: KindRegistry['kinds']) {
  let known: ReadonlyMap<string, Asked> = new Map();
  return async (operationIds: readonly string[]): Promise<ReadonlyMap<string, Asked>> => {
    const missing = operationIds.filter((id) => !known.has(id));
    const read = new Map<string, Asked>();
    for (let i = 0; i < missing.length; i += READ_AT_ONCE)
      for (const applied of await listAppliedSteps(db, missing.slice(i, i + READ_AT_ONCE)))
        read.set(applied.operationId, askedOf(applied, kinds));
    return (known = new Map(operationIds.map((id) => [id, known.get(id) ?? read.get(id) ?? []])));
  };
}

/** One tenant that cannot be read does not keep the others from being looked at. */
export function askedOf(applied: AppliedSteps, kinds: KindRegistry['kinds']): Asked {
  const read = blueprintSchema.safeParse(applied.blueprint);
  if (!read.success) return { unreadable: `its applied blueprint cannot be read: ${z.prettifyError(read.error)}` };
  try {
    return askedStepsOf(read.data, applied.steps, kinds);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { unreadable: `what it is to be asked cannot be read from its steps: ${why}` };
  }
}

/** The steps of a tenant whose kind has something to ask. */
function askedStepsOf(
  blueprint: Blueprint,
  steps: AppliedSteps['steps'],
  kinds: KindRegistry['kinds'],
): readonly AskedStep[] {
  const outputs = new Map(steps.map((step) => [step.stepId, { ready: true, outputs: step.outputs }]));
  return withoutTransient(blueprint.steps).flatMap(({ id, kind, spec }) => {
    const health = kinds.get(kind)?.health;
    if (!health) return [];
    const step = {
      spec: resolveSpec(spec, outputs) as PartlyResolvedStep['spec'],
      outputs: outputs.get(id)?.outputs ?? {},
    };
    const request = health.probe(step);
    return request ? [{ stepId: id, kind, request, step }] : [];
  });
}
