import type { Logger } from 'pino';
import { LONGEST_LATENESS_MS } from '../contracts/verbs.ts';
import type { Database } from '../db/database.ts';
import { listSilent, type SilentOperation } from '../db/silent-operations.ts';
import type { Orchestrator, RunSight } from './orchestrator.ts';

export interface LostRunDeps {
  readonly database: Database;
  readonly orchestrator: Pick<Orchestrator, 'look'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Hears of each run that was looked at and is open. */
  readonly onOpen?: (operation: SilentOperation, seen: RunSight & { readonly is: 'open' }) => void;
}

/** An open operation whose run ended without recording its end. */
export interface LostRun {
  readonly operation: SilentOperation;
  /** A sentence for people: how the run ended, as far as Temporal knows. */
  readonly ended: string;
  /** Whether it COMPLETED in Temporal. */
  readonly completed: boolean;
}

/** Asked of Temporal at a time. */
const SIDE_BY_SIDE = 8;

/**
 * Finds the operations that nobody is at any more: claimed and open in PostgreSQL, but their run is closed in Temporal, or
 * unknown there, for so long that nothing of it can be in flight. Only an answer of Temporal counts.
 *
 * Only operations without a sign of life are asked about, so a busy one costs nothing; one that holds or is stuck is asked
 * about each time, because nothing else would tell.
 *
 * @throws OrchestratorUnreachableError when Temporal answers nothing at all
 */
export async function findLostRuns(deps: LostRunDeps): Promise<LostRun[]> {
  const silent = await listSilent(deps.database, LONGEST_LATENESS_MS);
  const found: LostRun[] = [];
  for (let n = 0; n < silent.length; n += SIDE_BY_SIDE) {
    const some = silent.slice(n, n + SIDE_BY_SIDE);
    const looks = await Promise.allSettled(some.map((operation) => lookAt(deps, operation)));
    const failed = looks.filter((look) => look.status === 'rejected');
    if (failed.length === looks.length) throw failed[0]?.reason;
    for (const { reason } of failed) deps.log.warn({ err: reason as unknown }, 'whether a run is open is not known');
    found.push(...looks.flatMap((look) => (look.status === 'fulfilled' && look.value ? [look.value] : [])));
  }
  return found;
}

async function lookAt({ orchestrator, onOpen }: LostRunDeps, operation: SilentOperation): Promise<LostRun | undefined> {
  const { workflowId, runId } = operation;
  const seen = await orchestrator.look({ workflowId, runId });
  if (seen.is === 'open') onOpen?.(operation, seen);
  const ended = endOf(seen);
  if (ended === undefined) return undefined;
  // Another run of the workflow id may be at it: one that was reset in Temporal, or that is about to take over.
  const newest = await orchestrator.look({ workflowId, runId: null });
  return newest.is === 'open' ? undefined : { operation, ended, completed: isCompleted(seen) };
}

/** Whether a run closed COMPLETED: it had recorded its end before that. */
export function isCompleted(seen: RunSight): boolean {
  return seen.is === 'closed' && seen.as === 'COMPLETED';
}

/** Undefined while something of the run may be in flight. */
function endOf(seen: RunSight): string | undefined {
  if (seen.is === 'open') return undefined;
  // When it went is not known, but that no attempt of it has given a sign of life for as long.
  if (seen.is === 'missing') return 'Temporal does not know it (any more): lost, or older than what Temporal keeps';
  if (Date.now() - seen.at.getTime() < LONGEST_LATENESS_MS) return undefined;
  return `it is ${seen.as} since ${seen.at.toISOString()}, without having recorded its end`;
}
