import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import type { MarkState } from '../contracts/sweep.ts';
import type { SweepDeps } from '../sweep/dependencies.ts';
import { advanceMark } from '../sweep/ledger-mark.ts';

/** Events are marked within this time, in ms: a restore that loses no more than that goes unseen by the mark alone. */
export const MARK_EVERY_MS = 5_000;
/** Longest that one cell's round may take. */
const ROUND_MS = 20_000;

type MarkerDeps = Pick<SweepDeps, 'database' | 'installationId' | 'platform' | 'aws'>;

/**
 * A round that moves the mark of each cell on to the newest event, and tells once when the ledger is older than its mark. The
 * first mark is not its business: a sweep makes it, which has seen what exists.
 */
export function createLedgerMarker(deps: MarkerDeps, log: Logger): () => Promise<void> {
  const told = new Map<string, MarkState>();
  const notByMe = () => Promise.resolve({ may: false, why: 'the first sweep that knows every owner makes it' });
  return async () => {
    for (const { id } of deps.platform.cells) {
      const context = { beforeMutation: () => Promise.resolve(), signal: AbortSignal.timeout(ROUND_MS) };
      const { verdict } = await inCallContext(context, () => advanceMark(deps, id, notByMe));
      if (told.get(id) === verdict.state) continue;
      told.set(id, verdict.state);
      const at = { cell: id, mark: verdict };
      if (verdict.state === 'broken')
        log.error({ alert: 'ledger-older-than-mark', ...at }, `the sweep only reports: ${verdict.detail}`);
      else if (verdict.state !== 'intact') log.warn(at, `the sweep only reports: ${verdict.detail}`);
      else log.info(at, 'the ledger is no older than its mark');
    }
  };
}
