import { Context } from '@temporalio/activity';
import { inCallContext } from '../aws/call-context.ts';
import { refsIn, type Blueprint, type Step } from '../contracts/blueprint.ts';
import type { Resolved, Spec, Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import type { Cell } from '../contracts/platform.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { listStepDefinitions } from '../db/blueprints.ts';
import { listMade } from '../db/ledger.ts';
import { recordPartsMade } from '../db/step-making.ts';
import { noteRemoval, recordGone } from '../db/step-removal.ts';
import type { StepKey, Surroundings } from '../db/steps.ts';
import { ownershipTags, requestToken } from '../naming.ts';
import { cellById } from '../platform.ts';
import type { Kind, StepContext } from '../kinds/framework/kind.ts';
import { lostOf, OthersJudged, refuseLost, type NotOurs } from '../kinds/framework/ownership.ts';
import type { Purpose } from '../kinds/framework/within.ts';
import type { BlueprintOf } from './blueprint-cache.ts';
import { movedAway, outsideCell, recordedOf } from './cell-guard.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { LAST_WORDS_MS, patiently, type Patience } from './patience.ts';
import { checkStanding } from './standing.ts';
import { resolveSpec, unresolvedRefs, type Source } from './spec-resolution.ts';
import { StepError } from '../contracts/step-error.ts';

/** One attempt at a verb of a step, with all that it needs: loaded from the database, nothing believed from the caller. */
export interface StepRun {
  readonly deps: ActivityDependencies;
  readonly kind: Kind;
  readonly step: Step;
  readonly verb: Verb;
  readonly context: StepContext;
  readonly key: StepKey;
  readonly surroundings: Surroundings;
  /** The step's own row, as it was when the attempt began. */
  readonly stored: Surroundings['steps'][number] | undefined;
  /** References that name no output of a ready step. */
  readonly unresolved: readonly string[];
  /** What the spec names that is not the cell's or the tenant's. */
  readonly outside: readonly string[];
  readonly attempt: number;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

export interface VerbCall {
  readonly deps: ActivityDependencies;
  readonly blueprintOf: BlueprintOf;
  readonly surroundingsOf: (operationId: string) => Promise<Surroundings | undefined>;
  readonly kind: Kind;
  readonly verb: Verb;
  readonly purpose: Purpose;
  readonly call: StepCall;
}

/** Until when an attempt that starts now bears with a database that is away. */
export function patienceOf({ limits }: Pick<Kind, 'limits'>, verb: Verb): Patience {
  const untilMs = Date.now() + verbOptions(limits, verb).startToCloseMs - LAST_WORDS_MS;
  return { untilMs, signal: Context.current().cancellationSignal };
}

/** Loads the step and looks at it beside its cell. @throws StepError BLUEPRINT_INVALID, OUTSIDE_CELL */
export async function loadRun(verbCall: VerbCall, patience: Patience): Promise<StepRun> {
  const { deps, blueprintOf, surroundingsOf, kind, call } = verbCall;
  const { blueprint, surroundings } = await patiently(patience, async () => ({
    surroundings: await surroundingsOf(call.operationId),
    blueprint: await blueprintOf(call.operationId),
  }));
  const step = surroundings && (await findStep(verbCall, patience, blueprint, surroundings));
  if (!surroundings || step?.kind !== kind.name)
    throw new StepError(
      'BLUEPRINT_INVALID',
      `operation ${call.operationId} has no step "${call.stepId}" of kind ${kind.name}`,
    );
  const cell = cellOf(deps, surroundings, blueprint);
  const sources = new Map<string, Source>(
    surroundings.steps.map((s) => [s.stepId, { ready: s.state === 'ready', outputs: s.outputs }]),
  );
  const spec = resolveSpec(step.spec, sources);
  const { tenantId, slug, product } = surroundings;
  const recorded = recordedOf(surroundings, call.stepId);
  const bounds = { cell, installationId: deps.installationId, tenant: { id: tenantId, slug, product }, recorded };
  const outside = [
    ...outsideCell(kind, spec, bounds, verbCall.purpose),
    ...(verbCall.purpose === 'take-away' ? movedAway(surroundings.steps, cell) : []),
  ];
  const key = { ...call, tenantId, cell: cell.id, kind: kind.name };
  const unresolved = refsIn(step.spec).length > 0 ? unresolvedRefs(step.spec, sources) : [];
  const stored = surroundings.steps.find((s) => s.stepId === call.stepId);
  const context = contextOf({ ...verbCall, blueprint, surroundings, cell, spec, stored, patience });
  const { signal } = patience;
  const attempt = Context.current().info.attempt;
  return {
    deps,
    kind,
    verb: verbCall.verb,
    step,
    context,
    key,
    surroundings,
    stored,
    unresolved,
    outside,
    attempt,
    patience,
    signal,
  };
}

/** A step that is to be removed may be one that only the ledger still knows: then an earlier operation's blueprint defines it. */
async function findStep(
  { deps, call, purpose }: VerbCall,
  patience: Patience,
  blueprint: Blueprint,
  { tenantId }: Surroundings,
): Promise<Step | undefined> {
  const own = blueprint.steps.find((s) => s.id === call.stepId);
  if (own || purpose !== 'take-away') return own;
  const [known] = await patiently(patience, () => listStepDefinitions(deps.database, tenantId, [call.stepId]));
  return known && deps.kinds.specProblems(known).length === 0 ? known : undefined;
}

/** @throws StepError OUTSIDE_CELL */
export function refuseOutside({ outside, key }: StepRun): void {
  if (outside.length === 0) return;
  throw new StepError('OUTSIDE_CELL', `step "${key.stepId}" names what lies outside cell "${key.cell}"`, {
    detail: outside.join('; '),
  });
}

function cellOf(deps: ActivityDependencies, surroundings: Surroundings, blueprint: Blueprint): Cell {
  if (blueprint.cell !== surroundings.cell || blueprint.product !== surroundings.product)
    throw new StepError('BLUEPRINT_INVALID', 'the blueprint is for another cell or product than its operation');
  try {
    return cellById(deps.platform, surroundings.cell);
  } catch (cause) {
    throw new StepError('OUTSIDE_CELL', `this worker's platform has no cell "${surroundings.cell}"`, { cause });
  }
}

interface ContextParts extends VerbCall {
  readonly blueprint: Blueprint;
  readonly surroundings: Surroundings;
  readonly cell: Cell;
  readonly spec: unknown;
  readonly stored: StepRun['stored'];
  readonly patience: Patience;
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
  const caller = { operationId, stepId, verb: run.verb, since: run.surroundings.acceptedAt.getTime() };
  const untilMs = () => run.patience.untilMs;
  return inCallContext({ beforeMutation: before, afterMutation: after, signal: run.signal, untilMs, caller }, fn);
}

function contextOf(parts: ContextParts): StepContext {
  const { deps, call, surroundings: s, cell, stored } = parts;
  const ownership = {
    installationId: deps.installationId,
    tenantId: s.tenantId,
    product: s.product,
    operationId: call.operationId,
    stepId: call.stepId,
  };
  const key = { tenantId: s.tenantId, stepId: call.stepId };
  const activity = Context.current();
  return {
    installationId: deps.installationId,
    tenant: tenantOf(s),
    operation: { id: call.operationId },
    stepId: call.stepId,
    blueprint: parts.blueprint,
    // Checked by the kind's schema when it was loaded; its references are resolved.
    spec: parts.spec as Resolved<Spec>,
    previous: stored?.outputs ?? {},
    cell,
    generation: call.generation,
    removingAt: stored?.removingAt ?? undefined,
    mayExist: stored?.isUnclear === true,
    tags: ownershipTags(ownership),
    token: (part) => requestToken(call.operationId, call.stepId, call.generation, part),
    aws: deps.aws(cell.id),
    db: deps.database,
    tenantDatabases: deps.tenantDatabases,
    guard: () => checkStanding({ deps, call, verb: parts.verb, patience: parts.patience }),
    gone: (resources) => patiently(parts.patience, () => recordGone(deps.database, key, resources)),
    made: (resources) => patiently(parts.patience, () => recordPartsMade(deps.database, key, resources)),
    notOurs: (found) => judgeOthers(parts, ownershipTags(ownership), found),
    removal: removalNotes(parts),
    recorded: recordedOf(s, call.stepId),
    foresee: () => foresee(parts),
    signal: activity.cancellationSignal,
    log: deps.log.child({ tenantId: s.tenantId, ...call, kind: parts.kind.name, verb: parts.verb }),
  };
}

/** One after the other, in the order of the steps: the first refusal is the answer. */
async function foresee({ deps, blueprint, cell, surroundings: s }: ContextParts): Promise<void> {
  const tenant = tenantOf(s);
  for (const step of blueprint.steps) {
    const kind = deps.kinds.kinds.get(step.kind);
    await kind?.foresee?.({ aws: deps.aws(cell.id), cell, blueprint, tenant, spec: step.spec });
  }
}

function tenantOf(s: Surroundings): StepContext['tenant'] {
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
  { deps, call, kind, surroundings, stored, patience, verb }: ContextParts,
  tags: Readonly<Record<string, string>>,
  found: readonly NotOurs[],
): Promise<OthersJudged> {
  if (found.length > 0) {
    const key = { tenantId: surroundings.tenantId, stepId: call.stepId };
    const made = await patiently(patience, () => listMade(deps.database, key));
    const isRemoving = verb === 'remove' || stored?.state === 'removing';
    refuseLost(lostOf(found, made), { stepId: call.stepId, isRemoving, tags, types: kind.types });
  }
  return new OthersJudged(found);
}

/** Kept with the step, because the next attempt may run in another process. */
function removalNotes({ deps, call, surroundings, stored, patience }: ContextParts): StepContext['removal'] {
  const key = { tenantId: surroundings.tenantId, stepId: call.stepId };
  let noted: Readonly<Record<string, string>> = stored?.removal ?? {};
  return {
    noted: () => noted,
    note: async (fields) => {
      await patiently(patience, () => noteRemoval(deps.database, key, fields));
      const kept = Object.entries({ ...noted, ...fields }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      );
      noted = Object.fromEntries(kept);
    },
  };
}
