import { isAwsError } from '../../aws/errors.ts';
import type { DnsRecord } from '../../aws/dns-names.ts';
import type { RecordContext as Context } from './spec.ts';

/**
 * What a deletion notes with its step, so that another worker goes on from there: when the batch was sent, its change id once
 * Route 53 has answered, and when that change was seen in sync. Times are ISO 8601.
 */
const forgotten = { deletingAt: null, changeId: null, inSyncAt: null };

/** How long Route 53 usually takes until every name server has a change, in ms (its API reference, ChangeResourceRecordSets). */
const USUAL_SYNC_MS = 60_000;

/** Deletes records in one batch and notes its change. @throws StepError whose cause is InvalidChangeBatch when they are not as listed */
export async function sendDeletion({ aws, removal, spec }: Context, records: readonly DnsRecord[]): Promise<void> {
  const before = { ...forgotten, ...removal.noted() };
  await removal.note({ ...forgotten, deletingAt: new Date().toISOString() });
  try {
    const changes = records.map((record) => ({ action: 'DELETE' as const, record }));
    await removal.note({ changeId: await aws.dns.change(spec.zoneId, changes) });
  } catch (error) {
    // Refused: what an earlier batch deleted is still to be waited for.
    if (isAwsError(error, 'InvalidChangeBatch')) await removal.note(before);
    throw error;
  }
}

/** Whether a batch of this removal was sent. */
export function wasDeleted({ removal }: Context): boolean {
  return removal.noted()['deletingAt'] !== undefined;
}

/** When every name server had the deletion, in epoch ms; undefined while one may not have it. */
export async function deletedEverywhereAt({
  aws,
  cell,
  removal,
  removingAt,
  tenant,
}: Context): Promise<number | undefined> {
  const { changeId, deletingAt, inSyncAt } = removal.noted();
  if (inSyncAt !== undefined) return Date.parse(inSyncAt);
  // Somebody else deleted the records, before this removal.
  if (deletingAt === undefined) return removingAt?.getTime() ?? 0;
  if (changeId === undefined) {
    // No answer came, so that nobody can be asked. Nobody knows the host of a tenant that was never active.
    const usualMs = tenant.everActive ? (cell.usualMs?.['dns-record.gone'] ?? USUAL_SYNC_MS) : 0;
    return Date.parse(deletingAt) + usualMs;
  }
  // A change that Route 53 does not know any more is long in sync.
  if ((await aws.dns.isInSync(changeId)) === false) return undefined;
  const now = new Date();
  await removal.note({ inSyncAt: now.toISOString() });
  return now.getTime();
}
