import type { Grace } from './grace.ts';
import { isOpen, type OpenOperationState, type OperationState } from './operation-state.ts';
import { operationTable, type OperationType } from './operation-table.ts';
import type { TenantStatus } from './tenant-status.ts';

/**
 * Why `cancel` does not apply, as a sentence; undefined when it does.
 * @param grace of an operation that has a grace period
 */
export function cancelRefusal(type: OperationType, state: OperationState, grace?: Grace): string | undefined {
  const { cancellableIn, words } = operationTable[type];
  if (cancellableIn.includes(state)) return undefined;
  if (grace && waitingStates.includes(state) && grace.nowMs < grace.untilMs) return undefined;
  if (cancellableIn.length === 0 && (!grace || isOpen(state)))
    return `${words.noun} cannot be cancelled${grace ? ' after its grace period' : ''}`;
  switch (state) {
    case 'committing':
      return 'the tenant is being committed: it is past the point of no return';
    case 'rolling-back':
      return 'the operation is already being rolled back (rolling-back)';
    case 'stuck':
      return 'the operation is stuck: its rollback could not be finished';
    default:
      return isOpen(state) ? `the operation is ${state}` : `the operation is closed (${state})`;
  }
}

/** States in which an operation waits for the end of its grace period. Stuck: its run was lost meanwhile. */
const waitingStates: readonly OperationState[] = ['accepted', 'running', 'stuck'];

/** Why `retry` does not apply, as a sentence; undefined when it does. */
export function retryRefusal(state: OperationState): string | undefined {
  if (state === 'holding' || state === 'stuck') return undefined;
  return `there is nothing to retry: the operation is ${state}, not on hold or stuck`;
}

/** What the acceptance of an operation depends on. */
export interface TenantSituation {
  readonly status: TenantStatus;
  /** State of the open operation; undefined: none is open. */
  readonly open: OpenOperationState | undefined;
}

/** Whether an operation of this type is accepted: some take over from a stuck one, all wait for any other. */
export function isAcceptable(type: OperationType, { status, open }: TenantSituation): boolean {
  const { takesOverStuck, tenantStatus } = operationTable[type];
  return open === undefined ? tenantStatus.acceptedFrom.includes(status) : takesOverStuck && open === 'stuck';
}
