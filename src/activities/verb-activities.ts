import { Context } from '@temporalio/activity';
import type { VerbActivities } from '../contracts/activities.ts';
import type { FailsAs } from '../contracts/blueprint.ts';
import { kindNames, type KindName, type Verb } from '../contracts/kinds.ts';
import type { EnsureAnswer, ObserveAnswer, ObserveCall, RemoveAnswer, StepCall } from '../contracts/messages.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { createBlueprintCache } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { ensureStep } from './ensure-verb.ts';
import { applicationFailure, cancelled, isTemporalFailure, judge, turnAfterMs } from './failures.ts';
import type { KindRegistry } from './kind.ts';
import { observeStep } from './observe-verb.ts';
import { removeStep } from './remove-verb.ts';
import { loadRun, patienceOf, type StepRun } from './step-run.ts';
import { recordUnloaded } from './unloaded-step.ts';

/** The three verbs of every kind as activities, each wrapped by the ledger. */
export function createVerbActivities(deps: ActivityDependencies, kinds: KindRegistry): VerbActivities {
  const blueprintOf = createBlueprintCache(deps.database);
  const activity =
    <K extends KindName, C extends StepCall, A>(
      kindName: K,
      verb: Verb,
      act: (run: StepRun<K>, call: C) => Promise<A>,
    ) =>
    (call: C): Promise<A> =>
      attempt<K, C, A>(
        {
          kindName,
          verb,
          call,
          act,
          load: (p) => {
            const { operationId, stepId, generation } = call;
            const step = { operationId, stepId, generation };
            const purpose = takesAway(verb, call) ? 'take-away' : 'make';
            return loadRun({ deps, blueprintOf, kindName, kind: kinds[kindName], verb, purpose, call: step }, p);
          },
        },
        deps,
      );
  const entries = kindNames.flatMap((kind) => [
    [`${kind}.ensure`, activity<KindName, StepCall, EnsureAnswer>(kind, 'ensure', ensureStep)] as const,
    [`${kind}.observe`, activity<KindName, ObserveCall, ObserveAnswer>(kind, 'observe', observeStep)] as const,
    [`${kind}.remove`, activity<KindName, StepCall, RemoveAnswer>(kind, 'remove', removeStep)] as const,
  ]);
  // Every kind has its three verbs by the loop above; Object.fromEntries forgets the names.
  return Object.fromEntries(entries) as VerbActivities;
}

function takesAway(verb: Verb, call: StepCall | ObserveCall): boolean {
  return verb === 'remove' || ('want' in call && call.want === 'gone');
}

interface Attempt<K extends KindName, C extends StepCall, A> {
  readonly kindName: K;
  readonly verb: Verb;
  readonly call: C;
  readonly load: (patience: ReturnType<typeof patienceOf>) => Promise<StepRun<K>>;
  readonly act: (run: StepRun<K>, call: C) => Promise<A>;
}

async function attempt<K extends KindName, C extends StepCall, A>(
  { kindName, verb, call, load, act }: Attempt<K, C, A>,
  deps: ActivityDependencies,
): Promise<A> {
  const stopHeartbeats = startHeartbeats(kindName, verb);
  const patience = patienceOf(kindName, verb);
  let failsAs: FailsAs | undefined;
  try {
    const run = await load(patience).catch(async (error: unknown) => {
      if (takesAway(verb, call)) await recordUnloaded({ deps, patience, kindName, verb, call }, error);
      throw error;
    });
    failsAs = run.step.failsAs;
    return await act(run, call);
  } catch (error) {
    if (isTemporalFailure(error)) throw error;
    const judged = judge(error, { id: call.stepId, failsAs });
    const { operationId, stepId } = call;
    const { attempt: attemptNumber } = Context.current().info;
    // To wait for its turn is no trouble.
    const level = turnAfterMs(error) === undefined ? 'warn' : 'debug';
    deps.log[level](
      { operationId, stepId, kind: kindName, verb, attempt: attemptNumber, code: judged.code, err: error },
      judged.failure.message,
    );
    throw cancelled(Context.current().cancellationSignal) ?? applicationFailure(judged);
  } finally {
    stopHeartbeats();
  }
}

/** Verbs that may take minutes show by heartbeats that their worker lives. */
function startHeartbeats(kind: KindName, verb: Verb): () => void {
  const { heartbeatMs } = verbOptions(kind, verb);
  if (heartbeatMs === undefined) return () => undefined;
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), heartbeatMs / 3);
  return () => clearInterval(timer);
}
