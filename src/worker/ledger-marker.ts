import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import type { MarkState, MarkVerdict } from '../contracts/sweep.ts';
import type { SweepDeps } from '../sweep/dependencies.ts';
import { advanceMark } from '../sweep/ledger-mark.ts';

/** Events are marked within this time, in ms: a restore that loses no more than that goes unseen by the mark alone. */
export const MARK_EVERY_MS = 5_000;
/** Longest that one cell's round may take. */
const ROUND_MS = 20_000;

type MarkerDeps = Pick<SweepDeps, 'database' | 'installationId' | 'platform' | 'aws'>;

/** A mark that cannot be read or written is no alert before so many rounds in a row: a minute. */
const UNREACHABLE_ROUNDS = 12;

/**
 * A round that moves the mark of each cell on to the newest event, and tells once of each state that it comes to: loudly when
 * the ledger is older than its mark, or a mark that was made stands still. The first mark is not its business: a sweep makes
 * it, which has seen what exists.
 */
export function createLedgerMarker(deps: MarkerDeps, log: Logger): (stop?: AbortSignal) => Promise<void> {
  const seen = new Map<string, { readonly state: MarkState; readonly rounds: number }>();
  const notByMe = () => Promise.resolve({ may: false, why: 'the first sweep that knows every owner makes it' });
  return async (stop) => {
    for (const { id } of deps.platform.cells) {
      if (stop?.aborted) return;
      const context = { beforeMutation: () => Promise.resolve(), signal: AbortSignal.timeout(ROUND_MS) };
      const { verdict } = await inCallContext(context, () => advanceMark(deps, id, notByMe));
      const { state } = verdict;
      const before = seen.get(id);
      const rounds = before?.state === state ? before.rounds + 1 : 1;
      seen.set(id, { state, rounds });
      if (rounds === (state === 'unreachable' ? UNREACHABLE_ROUNDS : 1)) tell(log, id, verdict);
    }
  };
}

function tell(log: Logger, cell: string, mark: MarkVerdict): void {
  const at = { cell, mark };
  const said = `the sweep only reports: ${mark.detail}`;
  if (mark.state === 'intact') log.info(at, 'the ledger is no older than its mark');
  else if (mark.state === 'broken') log.error({ alert: 'ledger-older-than-mark', ...at }, said);
  else if (mark.wasMade === true) log.error({ alert: 'ledger-mark-stands-still', ...at }, said);
  else log.warn(at, said);
}
