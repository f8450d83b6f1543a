import { isOpen, type ClosedOperationState } from '../contracts/operation-state.ts';
import type { OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { OutcomeView } from './views.ts';

/**
 * How the newest operation of a tenant ended, in words: a tenant is `failed` after a creation that somebody cancelled as after
 * one that could not be done. Null while the operation is open.
 */
export function outcomeOf(
  { cleanupPending }: Pick<TenantRow, 'cleanupPending'>,
  { id, type, state }: Pick<OperationRow, 'id' | 'type' | 'state'>,
): OutcomeView | null {
  if (isOpen(state)) return null;
  const left = cleanupPending ? 'something is left' : 'nothing is left';
  return { operationId: id, type, state, message: `${words[type][state]}; ${left}` };
}

const closedByOperator = 'an operator closed it unfinished';
const words: Readonly<Record<OperationRow['type'], Readonly<Record<ClosedOperationState, string>>>> = {
  provision: {
    succeeded: 'created',
    'rolled-back': 'the creation failed and was rolled back',
    cancelled: 'the creation was cancelled on request and rolled back, which is no fault',
    abandoned: `the creation could not be rolled back and ${closedByOperator}`,
    superseded: 'the creation could not be rolled back, and a deletion took over',
    withdrawn: 'the creation could not be started and was withdrawn',
  },
  deprovision: {
    succeeded: 'deleted',
    'rolled-back': 'the deletion was rolled back',
    cancelled: 'the deletion was cancelled',
    abandoned: `the deletion could not be finished and ${closedByOperator}`,
    superseded: 'the deletion could not be finished, and another took over',
    withdrawn: 'the deletion could not be started and was withdrawn',
  },
};
