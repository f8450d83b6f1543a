import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import type { CellAws } from '../aws/cell-aws.ts';
import { discardArchive, listDueArchives, manifestKey, recordRemovedFiles, type ArchiveRow } from '../db/archives.ts';
import type { Database } from '../db/database.ts';
import { systemCaller } from '../process-caller.ts';
import { removeFiles } from './files.ts';

/** Longer than an attempt that was given up may still write, in ms. */
const QUIET_MS = 10 * 60_000;
const AT_ONCE = 20;
/** Longest that one archive may take. */
const REMOVAL_MS = 5 * 60_000;

export interface ExpiryDeps {
  readonly database: Database;
  readonly aws: (cellId: string) => Pick<CellAws, 'objects'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Removes the files of archives that have expired, and of attempts that came to nothing. What cannot be removed stays recorded as it is,
 * and the next round tries again.
 * @returns how many were removed
 */
export async function removeDueArchives(
  deps: ExpiryDeps,
  { stop, quietMs = QUIET_MS }: { readonly stop?: AbortSignal | undefined; readonly quietMs?: number | undefined } = {},
): Promise<number> {
  let removed = 0;
  await deps.database.withLock('archives', async () => {
    for (const due of await listDueArchives(deps.database, quietMs, AT_ONCE)) {
      if (stop?.aborted) return;
      if (await removeOne(deps, due)) removed += 1;
    }
  });
  return removed;
}

async function removeOne({ database, aws, log }: ExpiryDeps, due: ArchiveRow): Promise<boolean> {
  const { id, tenantId, cell, bucket, state } = due;
  const named = { archiveId: id, tenantId, cell, bucket, manifest: manifestKey(due) };
  try {
    // An attempt that is at work all the same is not kept any more.
    if (state !== 'kept') await discardArchive(database, id);
    const context = { beforeMutation: () => Promise.resolve(), signal: AbortSignal.timeout(REMOVAL_MS) };
    const files = await inCallContext(context, () => removeFiles(aws(cell).objects, due));
    await database.transaction((tx) => recordRemovedFiles(tx, due, systemCaller('worker')));
    log.info(
      { ...named, files },
      state === 'kept' ? 'an archive has expired and is removed' : 'an unfinished archive is removed',
    );
    return true;
  } catch (error) {
    log.warn({ ...named, err: error }, 'an archive that is due could not be removed: it is tried again');
    return false;
  }
}
