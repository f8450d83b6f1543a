import { Context } from '@temporalio/activity';
import { inCallContext } from '../aws/call-context.ts';
import { refsIn, type Blueprint, type Step } from '../contracts/blueprint.ts';
import type { Resolved, Spec, Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Cell } from '../contracts/platform.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { findAppliedBlueprint, findMaker, listStepDefinitions } from '../db/blueprints.ts';
import { listMade, listNotRemoved } from '../db/ledger.ts';
import { recordPartsMade } from '../db/step-making.ts';
import { noteRemoval, recordGone } from '../db/step-removal.ts';
import type { StepKey, OperationContext } from '../db/steps.ts';
import { ownershipTags, requestToken } from '../naming.ts';
import { cellById } from '../platform.ts';
import type { Kind, ResourceName, StepContext } from '../kinds/framework/kind.ts';
import { lostOf, OthersJudged, refuseLost, type NotOurs } from '../kinds/framework/ownership.ts';
import type { Purpose } from '../kinds/framework/within.ts';
import type { BlueprintOf } from './blueprint-cache.ts';
import { outsideCell } from '../kinds/framework/outside-cell.ts';
import { movedAway, recordedOf } from './cell-guard.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { REPORT_MARGIN_MS, retryWhileDatabaseDown, type RetryLimit } from './database-retry.ts';
import { lackedForMaking, workerLacks } from './lacking-kinds.ts';
import { assertNotRevoked } from './revocation.ts';
import { resolveSpec, unresolvedRefs, type Source } from '../plan/spec-resolution.ts';
import { StepError } from '../contracts/step-error.ts';

/** One attempt at a verb of a step, with all that it needs: loaded from the database, nothing believed from the caller. */
export interface StepRun {
  readonly deps: ActivityDependencies;
  readonly kind: Kind;
  readonly step: Step;
  readonly verb: Verb;
  readonly context: StepContext;
  readonly key: StepKey;
  readonly operationContext: OperationContext;
  /** The step's own row, as it was when the attempt began. */
  readonly stored: OperationContext['steps'][number] | undefined;
  /** References that name no output of a ready step. */
  readonly unresolved: readonly string[];
  /** What the spec names that is not the cell's or the tenant's. */
  readonly outside: readonly string[];
  readonly attempt: number;
  readonly retryLimit: RetryLimit;
  readonly signal: AbortSignal;
}

export interface VerbCall {
  readonly deps: ActivityDependencies;
  readonly blueprintOf: BlueprintOf;
  readonly operationContextOf: (operationId: string) => Promise<OperationContext | undefined>;
  readonly kind: Kind;
  readonly verb: Verb;
  readonly purpose: Exclude<Purpose, 'bring-back'>;
  readonly call: StepCall;
}

/** Until when an attempt that starts now bears with a database that is unavailable. */
export function retryLimitOf({ limits }: Pick<Kind, 'limits'>, verb: Verb): RetryLimit {
  const untilMs = Date.now() + verbOptions(limits, verb).startToCloseMs - REPORT_MARGIN_MS;
  return { untilMs, signal: Context.current().cancellationSignal };
}

/** Loads the step and looks at it beside its cell. @throws StepError BLUEPRINT_INVALID, OUTSIDE_CELL, WORKER_LACKS_KIND, SPEC_UNREADABLE */
export async function loadRun(verbCall: VerbCall, retryLimit: RetryLimit): Promise<StepRun> {
  const { deps, blueprintOf, operationContextOf, kind, call } = verbCall;
  const { blueprint, operationContext } = await retryWhileDatabaseDown(retryLimit, async () => {
    const found = await operationContextOf(call.operationId);
    const applied = call.goesBack && found ? await appliedBlueprint(deps, call, found) : undefined;
    return { operationContext: found, blueprint: applied ?? (await blueprintOf(call.operationId)) };
  });
  const step = operationContext && (await findStep(verbCall, retryLimit, blueprint, operationContext));
  if (!operationContext || step?.kind !== kind.name)
    throw new StepError(
      'BLUEPRINT_INVALID',
      `operation ${call.operationId} has no step "${call.stepId}" of kind ${kind.name}`,
    );
  const unread = deps.kinds.specProblems(step);
  if (verbCall.purpose === 'make' && unread.length > 0) throw workerLacks(call.operationId, unread);
  const cell = cellOf(deps, operationContext, blueprint);
  const sources = new Map<string, Source>(
    operationContext.steps.map((s) => [s.stepId, { ready: s.state === 'ready', outputs: s.outputs }]),
  );
  const spec = resolveSpec(step.spec, sources);
  const { tenantId, slug, product } = operationContext;
  const recorded = recordedOf(operationContext, call.stepId);
  const bounds = { cell, installationId: deps.installationId, tenant: { id: tenantId, slug, product }, recorded };
  const outside = [
    ...outsideCell(kind, spec, bounds, call.goesBack ? 'bring-back' : verbCall.purpose),
    ...(verbCall.purpose === 'take-away' ? movedAway(operationContext.steps, cell) : []),
  ];
  const key = { ...call, tenantId, cell: cell.id, kind: kind.name };
  const unresolved = refsIn(step.spec).length > 0 ? unresolvedRefs(step.spec, sources) : [];
  const stored = operationContext.steps.find((s) => s.stepId === call.stepId);
  const isPastCommit = await wasCommitted(verbCall, retryLimit, step, operationContext);
  const context = contextOf({ ...verbCall, blueprint, operationContext, cell, spec, stored, isPastCommit, retryLimit });
  if (unread.length > 0) await refuseUnreadable({ deps, kind, context, call, retryLimit }, unread);
  const { signal } = retryLimit;
  const attempt = Context.current().info.attempt;
  return {
    deps,
    kind,
    verb: verbCall.verb,
    step,
    context,
    key,
    operationContext,
    stored,
    unresolved,
    outside,
    attempt,
    retryLimit,
    signal,
  };
}

async function otherSpec({
  deps,
  blueprintOf,
  call,
  operationContext,
  retryLimit,
}: ContextParts): Promise<Spec | undefined> {
  if (operationContext.activatedAt === null) return undefined;
  const other = await retryWhileDatabaseDown(retryLimit, () =>
    call.goesBack ? blueprintOf(call.operationId) : findAppliedBlueprint(deps.database, operationContext.tenantId),
  );
  return other?.steps.find(({ id }) => id === call.stepId)?.spec;
}

/** A transient step that an abandoned change left behind goes as that change would have removed it. */
async function wasCommitted(
  { deps, blueprintOf, call, purpose }: VerbCall,
  retryLimit: RetryLimit,
  { id, transient }: Step,
  { operationState, operationType, tenantId }: OperationContext,
): Promise<boolean> {
  if (purpose !== 'take-away') return false;
  if (transient !== true) return operationState === 'committing';
  const { steps } = await retryWhileDatabaseDown(retryLimit, () => blueprintOf(call.operationId));
  const isMaker = operationTable[operationType].target === 'desired' && steps.some((step) => step.id === id);
  if (isMaker) return operationState === 'committing';
  const maker = await retryWhileDatabaseDown(retryLimit, () => findMaker(deps.database, tenantId, id));
  return maker?.isCommitted === true;
}

/** @throws StepError BLUEPRINT_INVALID when none is applied */
async function appliedBlueprint(
  { database }: ActivityDependencies,
  { operationId }: StepCall,
  { tenantId }: OperationContext,
): Promise<Blueprint> {
  const applied = await findAppliedBlueprint(database, tenantId);
  if (applied) return applied;
  throw new StepError('BLUEPRINT_INVALID', `operation ${operationId} has no applied blueprint to go back to`);
}

/** A step that is to be removed may be one that only the ledger still knows: then an earlier operation's blueprint defines it. */
async function findStep(
  { deps, call, purpose }: VerbCall,
  retryLimit: RetryLimit,
  blueprint: Blueprint,
  { tenantId }: OperationContext,
): Promise<Step | undefined> {
  const own = blueprint.steps.find((s) => s.id === call.stepId);
  if (own || purpose !== 'take-away') return own;
  const [known] = await retryWhileDatabaseDown(retryLimit, () =>
    listStepDefinitions(deps.database, tenantId, [call.stepId]),
  );
  return known;
}

/**
 * A spec that the kind of today refuses is removed by all the same where it still gives the names that the ledger has.
 * @throws StepError SPEC_UNREADABLE
 */
async function refuseUnreadable(
  {
    deps,
    kind,
    context,
    call,
    retryLimit,
  }: Pick<VerbCall, 'deps' | 'kind' | 'call'> & {
    readonly context: StepContext;
    readonly retryLimit: RetryLimit;
  },
  unread: readonly string[],
): Promise<void> {
  const rows = await retryWhileDatabaseDown(retryLimit, () => listNotRemoved(deps.database, context.tenant.id));
  const named = new Set(namesIn(kind, context).map(({ type, name }) => `${type} ${name}`));
  const unnamed = rows.filter((row) => row.stepId === call.stepId && !named.has(`${row.type} ${row.name}`));
  if (unnamed.length === 0) return;
  const left = unnamed.map(({ type, name }) => `${type} ${name}`).join(', ');
  throw new StepError('SPEC_UNREADABLE', `kind ${kind.name} does not find ${left} by what was stored of the step`, {
    detail: unread.join('; '),
  });
}

function namesIn(kind: Kind, context: StepContext): readonly ResourceName[] {
  try {
    return kind.resources(context);
  } catch {
    return [];
  }
}

/** @throws StepError OUTSIDE_CELL */
export function refuseOutside({ outside, key }: StepRun): void {
  if (outside.length === 0) return;
  throw new StepError('OUTSIDE_CELL', `step "${key.stepId}" names what lies outside cell "${key.cell}"`, {
    detail: outside.join('; '),
  });
}

function cellOf(deps: ActivityDependencies, operationContext: OperationContext, blueprint: Blueprint): Cell {
  if (blueprint.cell !== operationContext.cell || blueprint.product !== operationContext.product)
    throw new StepError('BLUEPRINT_INVALID', 'the blueprint is for another cell or product than its operation');
  try {
    return cellById(deps.platform, operationContext.cell);
  } catch (cause) {
    throw new StepError('OUTSIDE_CELL', `this worker's platform has no cell "${operationContext.cell}"`, { cause });
  }
}

interface ContextParts extends VerbCall {
  readonly blueprint: Blueprint;
  readonly operationContext: OperationContext;
  readonly cell: Cell;
  readonly spec: unknown;
  readonly stored: StepRun['stored'];
  readonly isPastCommit: boolean;
  readonly retryLimit: RetryLimit;
}

/** Who is told before and after each change of a kind's work. */
export interface ChangeWatch {
  readonly before: () => Promise<void>;
  readonly after?: () => void;
}

/** Runs the kind's own work so that every AWS call in it is guarded, ends with the attempt and names the step. */
export function onBehalfOf<T>(
  run: StepRun,
  fn: () => Promise<T>,
  { before, after }: ChangeWatch = { before: run.context.guard },
): Promise<T> {
  const { operationId, stepId } = run.key;
  const caller = { operationId, stepId, verb: run.verb, since: run.operationContext.acceptedAt.getTime() };
  const untilMs = () => run.retryLimit.untilMs;
  return inCallContext({ beforeMutation: before, afterMutation: after, signal: run.signal, untilMs, caller }, fn);
}

function contextOf(parts: ContextParts): StepContext {
  const { deps, call, operationContext: s, cell, stored } = parts;
  const ownership = {
    installationId: deps.installationId,
    tenantId: s.tenantId,
    product: s.product,
    operationId: call.operationId,
    stepId: call.stepId,
  };
  const key = { tenantId: s.tenantId, stepId: call.stepId };
  const activity = Context.current();
  // Each look of an attempt asks, and it stays the same.
  let other: ReturnType<typeof otherSpec> | undefined;
  return {
    installationId: deps.installationId,
    tenant: tenantOf(s),
    operation: { id: call.operationId },
    stepId: call.stepId,
    blueprint: parts.blueprint,
    // The kind's schema has read it, but for a removal; its references are resolved.
    spec: parts.spec as Resolved<Spec>,
    previous: stored?.outputs ?? {},
    applied: stored?.applied?.outputs ?? undefined,
    goesBack: call.goesBack === true,
    refreshes: s.refreshes && call.goesBack !== true,
    otherSpec: () => (other ??= otherSpec(parts)),
    cell,
    generation: call.generation,
    isPastCommit: parts.isPastCommit,
    removingAt: stored?.removingAt ?? undefined,
    mayExist: stored?.isUnclear === true,
    tags: ownershipTags(ownership),
    token: (part) => requestToken(call.operationId, call.stepId, call.generation, part),
    aws: deps.aws(cell.id),
    db: deps.database,
    tenantDatabases: deps.tenantDatabases,
    guard: () => assertNotRevoked({ deps, call, verb: parts.verb, retryLimit: parts.retryLimit }),
    gone: (resources) => retryWhileDatabaseDown(parts.retryLimit, () => recordGone(deps.database, key, resources)),
    made: (resources) => retryWhileDatabaseDown(parts.retryLimit, () => recordPartsMade(deps.database, key, resources)),
    notOurs: (found) => judgeOthers(parts, ownershipTags(ownership), found),
    removal: removalNotes(parts),
    recorded: recordedOf(s, call.stepId),
    foresee: () => foresee(parts),
    signal: activity.cancellationSignal,
    log: deps.log.child({ tenantId: s.tenantId, ...call, kind: parts.kind.name, verb: parts.verb }),
  };
}

/** One after the other, in the order of the steps: the first refusal is the answer. */
async function foresee({ deps, call, blueprint, cell, operationContext: s }: ContextParts): Promise<void> {
  const tenant = tenantOf(s);
  const lacked = lackedForMaking(blueprint.steps, deps.kinds);
  if (lacked.length > 0) throw workerLacks(call.operationId, lacked);
  for (const step of blueprint.steps) {
    const kind = deps.kinds.kinds.get(step.kind);
    await kind?.foresee?.({ aws: deps.aws(cell.id), cell, blueprint, tenant, spec: step.spec });
  }
}

export function tenantOf(s: OperationContext): StepContext['tenant'] {
  return {
    id: s.tenantId,
    slug: s.slug,
    product: s.product,
    tier: s.tier,
    displayName: s.displayName,
    everActive: s.activatedAt !== null,
  };
}

/** @throws StepError STILL_PRESENT, OWNERSHIP_CONFLICT */
async function judgeOthers(
  { deps, call, kind, operationContext, stored, retryLimit, verb }: ContextParts,
  tags: Readonly<Record<string, string>>,
  found: readonly NotOurs[],
): Promise<OthersJudged> {
  if (found.length > 0) {
    const key = { tenantId: operationContext.tenantId, stepId: call.stepId };
    const made = await retryWhileDatabaseDown(retryLimit, () => listMade(deps.database, key));
    const isRemoving = verb === 'remove' || stored?.state === 'removing';
    refuseLost(lostOf(found, made), { stepId: call.stepId, isRemoving, tags, types: kind.types });
  }
  return new OthersJudged(found);
}

/** Kept with the step, because the next attempt may run in another process. */
function removalNotes({ deps, call, operationContext, stored, retryLimit }: ContextParts): StepContext['removal'] {
  const key = { tenantId: operationContext.tenantId, stepId: call.stepId };
  let noted: Readonly<Record<string, string>> = stored?.removal ?? {};
  return {
    noted: () => noted,
    note: async (fields) => {
      await retryWhileDatabaseDown(retryLimit, () => noteRemoval(deps.database, key, fields));
      const kept = Object.entries({ ...noted, ...fields }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      );
      noted = Object.fromEntries(kept);
    },
  };
}
