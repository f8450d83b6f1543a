import type { OperationState, OperationType } from '../../contracts/operation-state.ts';

/** Why `cancel` does not apply, as a sentence; undefined when it does. */
export function cancelRefusal(type: OperationType, state: OperationState): string | undefined {
  if (type === 'deprovision') return 'a deprovisioning cannot be cancelled';
  switch (state) {
    case 'accepted':
    case 'running':
    case 'holding':
      return undefined;
    case 'committing':
      return 'the tenant is being committed: it is past the point of no return';
    case 'rolling-back':
    case 'stuck':
      return `the operation is being taken back already (${state})`;
    default:
      return `the operation is closed (${state})`;
  }
}

/** Why `retry` does not apply, as a sentence; undefined when it does. */
export function retryRefusal(state: OperationState): string | undefined {
  if (state === 'holding' || state === 'stuck') return undefined;
  return `there is nothing to retry: the operation neither holds nor is stuck (${state})`;
}

/**
 * Why a request that names an operation does not apply to this one, as a sentence; undefined when it does. None named
 * means the one that runs, so that Temporal's own CLI needs no argument.
 */
export function guardRefusal(operationId: string, named: unknown): string | undefined {
  if (named === undefined || named === null || named === operationId) return undefined;
  return `the request is meant for operation ${typeof named === 'string' ? named : JSON.stringify(named)}, this is ${operationId}`;
}
