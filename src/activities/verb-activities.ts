import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { VerbActivities } from '../contracts/activities.ts';
import type { FailsAs } from '../contracts/blueprint.ts';
import type { Verb } from '../contracts/kinds.ts';
import type { EnsureAnswer, ObserveAnswer, ObserveCall, RemoveAnswer, StepCall } from '../contracts/messages.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { reopenRemoved } from '../db/step-removal.ts';
import { findOperationContext } from '../db/steps.ts';
import type { BlueprintOf } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { retryWhileDatabaseDown } from './database-retry.ts';
import { ensureStep } from './ensure-verb.ts';
import { applicationFailure, cancelled, isTemporalFailure, judge, turnAfterMs } from './failures.ts';
import type { Kind } from '../kinds/framework/kind.ts';
import { lacksKind } from '../kinds/framework/registry.ts';
import { alertLacking, workerLacks } from './lacking-kinds.ts';
import { observeStep } from './observe-verb.ts';
import { removeStep } from './remove-verb.ts';
import { loadRun, retryLimitOf, type StepRun, type VerbCall } from './step-run.ts';
import { recordUnloaded } from './unloaded-step.ts';

/** The three verbs of every kind as activities, each wrapped by the ledger. */
export function createVerbActivities(deps: ActivityDependencies, blueprintOf: BlueprintOf): VerbActivities {
  const operationContextOf = (operationId: string) => findOperationContext(deps.database, operationId);
  const activity =
    <C extends StepCall, A>(kind: Kind, verb: Verb, act: (run: StepRun, call: C) => Promise<A>) =>
    (call: C): Promise<A> =>
      attempt({ deps, blueprintOf, operationContextOf, kind, verb, call, act });
  const entries = [...deps.kinds.kinds.values()].flatMap((kind) => [
    [`${kind.name}.ensure`, activity<StepCall, EnsureAnswer>(kind, 'ensure', ensureStep)] as const,
    [`${kind.name}.observe`, activity<ObserveCall, ObserveAnswer>(kind, 'observe', observeStep)] as const,
    [`${kind.name}.remove`, activity<StepCall, RemoveAnswer>(kind, 'remove', removeStep)] as const,
  ]);
  // Each entry has the form by the loop above; Object.fromEntries forgets it.
  return Object.fromEntries(entries) as VerbActivities;
}

/** Temporal calls it for whatever is not registered: a verb of a kind that this worker does not have, mostly. */
export function createUnknownActivity(
  deps: Pick<ActivityDependencies, 'database' | 'kinds' | 'log'>,
): (call: unknown) => Promise<never> {
  return async (call) => {
    const { activityType } = Context.current().info;
    const parsed = stepCall.safeParse(call);
    const [kind, verb] = activityType.split('.');
    if (!parsed.success || verb === undefined)
      throw ApplicationFailure.retryable(`this worker has no activity ${activityType}`, 'NotFoundError');
    const { operationId, stepId } = parsed.data;
    const error = workerLacks(operationId, [lacksKind({ id: stepId, kind: kind ?? activityType }, deps.kinds.kinds)]);
    await alertLacking(deps, operationId, error, stepId).catch((cause: unknown) => {
      deps.log.error({ err: cause, operationId, stepId }, 'that a step waits for another worker could not be recorded');
    });
    throw applicationFailure(judge(error, { id: stepId }));
  };
}

const stepCall = z.object({ operationId: z.string(), stepId: z.string() });

function takesAway(verb: Verb, call: StepCall | ObserveCall): boolean {
  return verb === 'remove' || ('want' in call && call.want === 'gone');
}

interface VerbAttempt<C extends StepCall, A> {
  readonly deps: ActivityDependencies;
  readonly blueprintOf: BlueprintOf;
  readonly operationContextOf: VerbCall['operationContextOf'];
  readonly kind: Kind;
  readonly verb: Verb;
  readonly call: C;
  readonly act: (run: StepRun, call: C) => Promise<A>;
}

async function attempt<C extends StepCall, A>({
  deps,
  blueprintOf,
  operationContextOf,
  kind,
  verb,
  call,
  act,
}: VerbAttempt<C, A>): Promise<A> {
  const stopHeartbeats = startHeartbeats(kind, verb);
  const retryLimit = retryLimitOf(kind, verb);
  const { operationId, stepId, generation, goesBack } = call;
  let failsAs: FailsAs | undefined;
  try {
    const purpose = takesAway(verb, call) ? 'take-away' : 'make';
    const step = { operationId, stepId, generation, goesBack };
    // Before it is loaded: of one that cannot be, it is said that it is left.
    if (verb === 'remove' && deps.kinds.isRemovedAgain(kind.name))
      await retryWhileDatabaseDown(retryLimit, () => reopenRemoved(deps.database, step));
    const run = await loadRun(
      { deps, blueprintOf, operationContextOf, kind, verb, purpose, call: step },
      retryLimit,
    ).catch(async (error: unknown) => {
      if (purpose === 'take-away') await recordUnloaded({ deps, retryLimit, kind, verb, call }, error);
      throw error;
    });
    failsAs = run.step.failsAs;
    return await act(run, call);
  } catch (error) {
    if (isTemporalFailure(error)) throw error;
    const judged = judge(error, { id: stepId, failsAs });
    const { attempt: attemptNumber } = Context.current().info;
    // To wait for its turn is no trouble.
    const level = turnAfterMs(error) === undefined ? 'warn' : 'debug';
    deps.log[level](
      { operationId, stepId, kind: kind.name, verb, attempt: attemptNumber, code: judged.code, err: error },
      judged.failure.message,
    );
    throw cancelled(Context.current().cancellationSignal) ?? applicationFailure(judged);
  } finally {
    stopHeartbeats();
  }
}

/** Verbs that may take minutes show by heartbeats that their worker lives. */
function startHeartbeats({ limits }: Kind, verb: Verb): () => void {
  const { heartbeatMs } = verbOptions(limits, verb);
  if (heartbeatMs === undefined) return () => undefined;
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), heartbeatMs / 3);
  return () => clearInterval(timer);
}
