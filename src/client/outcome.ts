import { isOpen } from '../contracts/operation-state.ts';
import { isMadeTrue, operationTable } from '../contracts/operation-table.ts';
import type { OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { OutcomeView } from './views.ts';

/**
 * How the newest operation of a tenant ended, in words: a tenant is `failed` after a creation that somebody cancelled as after
 * one that could not be done. Null while the operation is open.
 */
export function outcomeOf(
  { cleanupPending }: Pick<TenantRow, 'cleanupPending'>,
  { id, type, state, committedAt }: Pick<OperationRow, 'id' | 'type' | 'state' | 'committedAt'>,
): OutcomeView | null {
  if (isOpen(state)) return null;
  const { ended, abandonedWhenTrue } = operationTable[type].words;
  const isTrue = state === 'abandoned' && isMadeTrue({ type, state, committedAt });
  const words = (isTrue ? abandonedWhenTrue : undefined) ?? ended[state];
  const left = cleanupPending ? 'something is left' : 'nothing is left';
  return { operationId: id, type, state, message: `${words}; ${left}` };
}
