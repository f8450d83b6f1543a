import { isOpen } from '../contracts/operation-state.ts';
import { isMadeTrue, operationTable } from '../contracts/operation-table.ts';
import { isInUse } from '../contracts/tenant-status.ts';
import { unsettledOf, unsettledWords } from '../contracts/unsettled.ts';
import type { OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { OutcomeView } from './views.ts';

/**
 * How the newest operation of a tenant ended, in words: a tenant is `failed` after a creation that somebody cancelled as after
 * one that could not be done. Null while the operation is open.
 */
export function outcomeOf(
  tenant: Pick<TenantRow, 'cleanupPending' | 'status'>,
  {
    id,
    type,
    state,
    committedAt,
    leftovers,
  }: Pick<OperationRow, 'id' | 'type' | 'state' | 'committedAt' | 'leftovers'>,
): OutcomeView | null {
  if (isOpen(state)) return null;
  const { ended, abandonedWhenTrue } = operationTable[type].words;
  const isTrue = state === 'abandoned' && isMadeTrue({ type, state, committedAt });
  const words = (isTrue ? abandonedWhenTrue : undefined) ?? ended[state];
  const unsettled = unsettledOf(tenant, leftovers);
  return {
    operationId: id,
    type,
    state,
    message: [words, amissOf(tenant.status, unsettled)].filter(Boolean).join('; '),
  };
}

/** That nothing is left is said only of what is gone: of one that serves, all is there. */
function amissOf(status: TenantRow['status'], unsettled: ReturnType<typeof unsettledOf>): string | undefined {
  if (unsettled !== null) return unsettledWords[unsettled];
  return isInUse(status) ? undefined : 'nothing is left';
}
