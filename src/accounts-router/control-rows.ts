import { accountOf } from './account-id.ts';
import { fencePartition, fenceSortKey } from './fence.ts';

/*
 * The rows that the control plane writes among an account's own, in the shared table and in the account's. Each bears the mark (`rowMark`); by its
 * sort key it is known where the mark cannot be asked for.
 */

/** What is known of the account itself. */
export const metadataSortKey = 'METADATA';
/** `LICENSE#{enterpriseId}#{productId}#{serviceId}`. */
export const licenseSortKeyPrefix = 'LICENSE#';

/** Whether a row of that key is the control plane's, where there is one: of an account, or the fence item of one that is being moved. */
export function isControlKey(partition: unknown, sortKey: unknown): boolean {
  if (typeof partition !== 'string' || typeof sortKey !== 'string') return false;
  if (accountOf(partition) !== undefined)
    return sortKey === metadataSortKey || sortKey.startsWith(licenseSortKeyPrefix);
  const accountId = sortKey === fenceSortKey ? accountOf(partition.replace(/#FENCE$/, '')) : undefined;
  return accountId !== undefined && partition === fencePartition(accountId);
}
