import { Context } from '@temporalio/activity';
import { inCallContext } from '../aws/call-context.ts';
import { refsIn, type Blueprint, type Step } from '../contracts/blueprint.ts';
import type { KindName, OutputsOf, Resolved, SpecOf, Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import type { Cell } from '../contracts/platform.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { listMade } from '../db/ledger.ts';
import { recordPartsMade } from '../db/step-making.ts';
import { noteRemoval, recordGone } from '../db/step-removal.ts';
import { findSurroundings, type StepKey, type Surroundings } from '../db/steps.ts';
import { ownershipTags, requestToken } from '../naming.ts';
import { cellById } from '../platform.ts';
import { movedAway, outsideCell, recordedOf, type Purpose } from './cell-guard.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Kind, StepContext } from './kind.ts';
import { lostOf, OthersJudged, refuseLost, type NotOurs } from './ownership.ts';
import { LAST_WORDS_MS, patiently, type Patience } from './patience.ts';
import { checkStanding } from './standing.ts';
import { resolveSpec, unresolvedRefs, type Source } from './spec-resolution.ts';
import { StepError } from '../contracts/step-error.ts';

/** One attempt at a verb of a step, with all that it needs: loaded from the database, nothing believed from the caller. */
export interface StepRun<K extends KindName> {
  readonly deps: ActivityDependencies;
  readonly kind: Kind<K>;
  readonly step: Step<K>;
  readonly verb: Verb;
  readonly context: StepContext<K>;
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

export interface VerbCall<K extends KindName> {
  readonly deps: ActivityDependencies;
  readonly blueprintOf: (operationId: string) => Promise<Blueprint>;
  readonly kindName: K;
  readonly kind: Kind<K>;
  readonly verb: Verb;
  readonly purpose: Purpose;
  readonly call: StepCall;
}

/** Until when an attempt that starts now bears with a database that is away. */
export function patienceOf(kind: KindName, verb: Verb): Patience {
  const untilMs = Date.now() + verbOptions(kind, verb).startToCloseMs - LAST_WORDS_MS;
  return { untilMs, signal: Context.current().cancellationSignal };
}

/** Loads the step and looks at it beside its cell. @throws StepError BLUEPRINT_INVALID, OUTSIDE_CELL */
export async function loadRun<K extends KindName>(verbCall: VerbCall<K>, patience: Patience): Promise<StepRun<K>> {
  const { deps, blueprintOf, kindName, call } = verbCall;
  const { blueprint, surroundings } = await patiently(patience, async () => ({
    surroundings: await findSurroundings(deps.database, call.operationId),
    blueprint: await blueprintOf(call.operationId),
  }));
  const found = blueprint.steps.find((s) => s.id === call.stepId);
  if (!surroundings || found?.kind !== kindName)
    throw new StepError(
      'BLUEPRINT_INVALID',
      `operation ${call.operationId} has no step "${call.stepId}" of kind ${kindName}`,
    );
  // The kind was compared just now; the compiler does not carry that over to the union's generic member.
  const step = found as unknown as Step<K>;
  const cell = cellOf(deps, surroundings, blueprint);
  const sources = new Map<string, Source>(
    surroundings.steps.map((s) => [s.stepId, { ready: s.state === 'ready', outputs: s.outputs }]),
  );
  const spec = resolveSpec(step.spec, sources);
  const { tenantId, slug, product } = surroundings;
  const recorded = recordedOf(surroundings, call.stepId);
  const bounds = { cell, installationId: deps.installationId, tenant: { id: tenantId, slug, product }, recorded };
  const outside = [
    ...outsideCell(kindName, spec, bounds, verbCall.purpose),
    ...(verbCall.purpose === 'take-away' ? movedAway(surroundings.steps, cell) : []),
  ];
  const key = { ...call, tenantId, cell: cell.id, kind: kindName };
  const unresolved = refsIn(step.spec).length > 0 ? unresolvedRefs(step.spec, sources) : [];
  const stored = surroundings.steps.find((s) => s.stepId === call.stepId);
  const context = contextOf<K>({ ...verbCall, blueprint, surroundings, cell, spec, stored, patience });
  const { signal } = patience;
  const attempt = Context.current().info.attempt;
  return {
    deps,
    kind: verbCall.kind,
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

/** @throws StepError OUTSIDE_CELL */
export function refuseOutside({ outside, key }: StepRun<KindName>): void {
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

interface ContextParts<K extends KindName> extends VerbCall<K> {
  readonly blueprint: Blueprint;
  readonly surroundings: Surroundings;
  readonly cell: Cell;
  readonly spec: unknown;
  readonly stored: StepRun<K>['stored'];
  readonly patience: Patience;
}

/** Who is told before and after each change of a kind's work. */
export interface ChangeWatch {
  readonly before: () => Promise<void>;
  readonly after?: () => void;
}

/** Runs the kind's own work so that every AWS call in it is guarded, ends with the attempt and names the step. */
export function onBehalfOf<T>(
  run: StepRun<KindName>,
  fn: () => Promise<T>,
  { before, after }: ChangeWatch = { before: run.context.guard },
): Promise<T> {
  const { operationId, stepId } = run.key;
  const caller = { operationId, stepId, verb: run.verb, since: run.surroundings.acceptedAt.getTime() };
  const untilMs = () => run.patience.untilMs;
  return inCallContext({ beforeMutation: before, afterMutation: after, signal: run.signal, untilMs, caller }, fn);
}

function contextOf<K extends KindName>(parts: ContextParts<K>): StepContext<K> {
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
    tenant: {
      id: s.tenantId,
      slug: s.slug,
      product: s.product,
      tier: s.tier,
      displayName: s.displayName,
      everActive: s.activatedAt !== null,
    },
    operation: { id: call.operationId, type: s.operationType },
    stepId: call.stepId,
    blueprint: parts.blueprint,
    // Both were checked by schema when they were stored: the spec by the blueprint's, the outputs by the kind's own type.
    spec: parts.spec as Resolved<SpecOf<K>>,
    previous: (stored?.outputs ?? {}) as Partial<OutputsOf<K>>,
    cell,
    generation: call.generation,
    removingAt: stored?.removingAt ?? undefined,
    mayExist: (stored?.unclearUntil?.getTime() ?? 0) > Date.now(),
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
    heartbeat: () => activity.heartbeat(),
    signal: activity.cancellationSignal,
    log: deps.log.child({ tenantId: s.tenantId, ...call, kind: parts.kindName, verb: parts.verb }),
  };
}

/** @throws StepError STILL_PRESENT, OWNERSHIP_CONFLICT */
async function judgeOthers(
  { deps, call, surroundings, stored, patience, verb }: ContextParts<KindName>,
  tags: Readonly<Record<string, string>>,
  found: readonly NotOurs[],
): Promise<OthersJudged> {
  if (found.length > 0) {
    const key = { tenantId: surroundings.tenantId, stepId: call.stepId };
    const made = await patiently(patience, () => listMade(deps.database, key));
    const isRemoving = verb === 'remove' || stored?.state === 'removing';
    refuseLost(lostOf(found, made), { stepId: call.stepId, isRemoving, tags });
  }
  return new OthersJudged(found);
}

/** Kept with the step, because the next attempt may run in another process. */
function removalNotes({
  deps,
  call,
  surroundings,
  stored,
  patience,
}: ContextParts<KindName>): StepContext<KindName>['removal'] {
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
