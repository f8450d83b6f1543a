import { refsIn, type Blueprint, type Step } from '../contracts/blueprint.ts';
import type { Resolved, Spec } from '../contracts/kinds.ts';
import type { Cell } from '../contracts/platform.ts';
import { StepError } from '../contracts/step-error.ts';
import { movedAway, recordedOf } from '../activities/cell-guard.ts';
import { tenantOf } from '../activities/step-run.ts';
import { listMade } from '../db/ledger.ts';
import type { OperationContext } from '../db/steps.ts';
import type { Kind, StepContext } from '../kinds/framework/kind.ts';
import { outsideCell } from '../kinds/framework/outside-cell.ts';
import { lostOf, OthersJudged, refuseLost, type NotOurs } from '../kinds/framework/ownership.ts';
import { ownershipTags, requestToken } from '../naming.ts';
import { resolveSpec, unresolvedRefs, type Source } from '../plan/spec-resolution.ts';
import type { DriftDeps } from './dependencies.ts';

/** A tenant's applied blueprint with all that its steps are looked at by. */
export interface AppliedTenant {
  /** Whose blueprint is applied. */
  readonly operationId: string;
  readonly blueprint: Blueprint;
  readonly operationContext: OperationContext;
  readonly cell: Cell;
}

/**
 * What a kind is handed for a look at an applied step, outside of any operation: as it was applied, and nothing in it changes anything.
 * @throws StepError OUTSIDE_CELL, BLUEPRINT_INVALID
 */
export function lookContext(
  deps: DriftDeps,
  { operationId, blueprint, operationContext, cell }: AppliedTenant,
  { kind, step, signal }: { readonly kind: Kind; readonly step: Step; readonly signal: AbortSignal },
): StepContext {
  const { installationId } = deps;
  const { tenantId, slug, product } = operationContext;
  const sources = new Map<string, Source>(
    operationContext.steps.map((s) => [s.stepId, { ready: s.state === 'ready', outputs: s.outputs }]),
  );
  const spec = resolveSpec(step.spec, sources);
  const bounds = { cell, installationId, tenant: { id: tenantId, slug, product } };
  const outside = [...outsideCell(kind, spec, bounds), ...movedAway(operationContext.steps, cell)];
  if (outside.length > 0)
    throw new StepError('OUTSIDE_CELL', `step "${step.id}" names what lies outside cell "${cell.id}"`, {
      detail: outside.join('; '),
    });
  const unresolved = refsIn(step.spec).length > 0 ? unresolvedRefs(step.spec, sources) : [];
  const stored = operationContext.steps.find(({ stepId }) => stepId === step.id);
  if (unresolved.length > 0 || stored?.state !== 'ready')
    throw new StepError(
      'BLUEPRINT_INVALID',
      `step "${step.id}" is ${stored?.state ?? 'unknown'} in the ledger, not ready`,
    );
  const mark = { installationId, tenantId, product, operationId, stepId: step.id };
  const { generation } = stored;
  return {
    installationId,
    tenant: tenantOf(operationContext),
    operation: { id: operationId },
    stepId: step.id,
    blueprint,
    // The kind's schema has read it; its references are resolved.
    spec: spec as Resolved<Spec>,
    cell,
    generation,
    previous: stored.outputs ?? {},
    applied: stored.applied?.outputs ?? undefined,
    mayExist: false,
    removingAt: undefined,
    removal: { noted: () => ({}), note: refuseChange },
    recorded: recordedOf(operationContext, step.id),
    tags: ownershipTags(mark),
    token: (part) => requestToken(operationId, step.id, generation, part),
    aws: deps.aws(cell.id),
    db: deps.database,
    tenantDatabases: deps.tenantDatabases,
    guard: refuseChange,
    gone: refuseChange,
    made: refuseChange,
    notOurs: (found) => judged(deps, { tenantId, stepId: step.id, kind, tags: ownershipTags(mark) }, found),
    foresee: () => Promise.resolve(),
    signal,
    log: deps.log.child({ tenantId, stepId: step.id, kind: kind.name, verb: 'differs' }),
  };
}

export function refuseChange(): Promise<never> {
  return Promise.reject(new Error('a look at drift changes nothing'));
}

/** @throws StepError OWNERSHIP_CONFLICT when something of the step's has lost its mark */
async function judged(
  { database }: DriftDeps,
  at: {
    readonly tenantId: string;
    readonly stepId: string;
    readonly kind: Kind;
    readonly tags: Record<string, string>;
  },
  found: readonly NotOurs[],
): Promise<OthersJudged> {
  if (found.length > 0) {
    const { stepId, kind, tags } = at;
    refuseLost(lostOf(found, await listMade(database, at)), { stepId, isRemoving: false, tags, types: kind.types });
  }
  return new OthersJudged(found);
}
