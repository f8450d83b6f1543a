import type { Leftover } from './messages.ts';
import { isInUse, type TenantStatus } from './tenant-status.ts';

/** What is amiss with a tenant that is not wholly as it is to be, the worst of it. */
export const unsettledKinds = [
  'missing', // it serves or is suspended, and data of its is gone
  'changed', // it has something that is not as it was applied
  'left', // something is there that is not to be
  'unknown', // an operation that ended since has not listed it
] as const;
export type Unsettled = (typeof unsettledKinds)[number];

/** In words, for people. */
export const unsettledWords: Readonly<Record<Unsettled, string>> = {
  missing: 'something is missing',
  changed: 'something is not as it was applied',
  left: 'something is left',
  unknown: 'something is left, or not as it was applied',
};

/** Null: it is wholly as it is to be. @param leftovers of its newest operation; null: none are recorded */
export function unsettledOf(
  { cleanupPending, status }: { readonly cleanupPending: boolean; readonly status: TenantStatus },
  leftovers: readonly Leftover[] | null,
): Unsettled | null {
  if (!cleanupPending) return null;
  if (!isInUse(status)) return 'left';
  const conditions = new Set((leftovers ?? []).map(({ condition = 'left' }) => condition));
  if (conditions.size === 0) return 'unknown';
  if (conditions.has('missing')) return 'missing';
  return conditions.has('changed') || conditions.has('not-looked-at') ? 'changed' : 'left';
}
