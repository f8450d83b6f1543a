import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
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
  return { operationId: id, type, state, message: `${operationTable[type].words.ended[state]}; ${left}` };
}
