import type { CallRecord } from '../../../sandbox/gateway/gateway.ts';

/** What is done to a tenant that stays. */
export const changePhases = ['update', 'suspend', 'resume', 'rotate', 'repair'] as const;
export type ChangePhase = (typeof changePhases)[number];

/** What a tenant goes through. `rollback` is the undo of a provisioning, under the same operation id. */
export const phases = [...(['provision', 'rollback', 'deprovision'] as const), ...changePhases] as const;
export type Phase = (typeof phases)[number];

/** An AWS call of a step's verb. */
export type StepLook = Pick<CallRecord, 'service' | 'action'> & { readonly stepId: string; readonly verb: string };

/** The last look of a calm provisioning: when it is refused for good, everything is made and all of it is undone. */
export function lastLook(calls: readonly CallRecord[]): StepLook {
  const look = calls.filter(({ caller }) => caller.verb === 'observe').at(-1);
  if (!look?.caller.stepId) throw new Error('no step of a provisioning is waited for');
  const { caller, service, action } = look;
  return { service, action, stepId: caller.stepId ?? '', verb: 'observe' };
}
