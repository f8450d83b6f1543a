import { inCallContext } from '../aws/call-context.ts';
import type { Step } from '../contracts/blueprint.ts';
import type { Difference } from '../contracts/drift.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { StepError } from '../contracts/step-error.ts';
import { judge } from '../activities/failures.ts';
import { changedFields } from '../kinds/framework/differences.ts';
import type { Kind, Observation, StepContext } from '../kinds/framework/kind.ts';
import { lacksKind } from '../kinds/framework/registry.ts';
import type { DriftDeps } from './dependencies.ts';
import { lookContext, refuseChange, type AppliedTenant } from './look-context.ts';
import type { StepLook } from './verdict.ts';

/** How long a look at a step may take, in ms: its calls wait until nobody else has any. */
const LOOK_WITHIN_MS = 120_000;

/** One look at a step. It never throws: what cannot be looked at is said so. */
export async function lookAtStep(
  deps: DriftDeps,
  applied: AppliedTenant,
  step: Step,
  stop: AbortSignal,
): Promise<StepLook> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(LOOK_WITHIN_MS)]);
  const { id: stepId } = step;
  try {
    const kind = deps.kinds.kinds.get(step.kind);
    if (!kind) throw new StepError('WORKER_LACKS_KIND', lacksKind(step, deps.kinds.kinds));
    const context = lookContext(deps, applied, { kind, step, signal });
    const caller = { operationId: applied.operationId, stepId, verb: 'drift', isBackground: true };
    const untilMs = Date.now() + LOOK_WITHIN_MS;
    const differences = await inCallContext(
      { beforeMutation: refuseChange, signal, untilMs: () => untilMs, caller },
      () => differencesOf(kind, context),
    );
    return { stepId, differences };
  } catch (error) {
    return lookFailed(stepId, error);
  }
}

async function differencesOf(kind: Kind, context: StepContext): Promise<readonly Difference[]> {
  if (kind.differs) return kind.differs(context);
  return observed(await kind.observe(context));
}

/** What is known of a thing whose kind tells no differences. */
function observed({ status, detail }: Observation): Difference[] {
  if (status === 'ready') return [];
  return status === 'absent' ? [{ is: 'missing', field: detail }] : changedFields({ state: ['ready', detail] });
}

/** Codes that are an answer of their own about a thing: it is there, and not as it was applied. */
const tellsByItself: readonly ErrorCode[] = ['OWNERSHIP_CONFLICT', 'RULE_SHADOWED'];

function lookFailed(stepId: string, error: unknown): StepLook {
  const { code, failure } = judge(error, { id: stepId });
  const detail = failure.detail ?? failure.message;
  if (tellsByItself.includes(code))
    return {
      stepId,
      differences: [{ is: 'changed', field: 'ownership', wanted: 'this tenant', found: detail, remedy: 'hand' }],
    };
  return { stepId, unseen: { code, message: failure.message } };
}
