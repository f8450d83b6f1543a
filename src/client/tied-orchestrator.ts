import { DatabaseUnavailableError, type Queryable } from '../db/database.ts';
import type { TemporalClient } from '../temporal/client.ts';
import { findForeignNamespace, lookUpNamespace } from '../temporal/namespace.ts';
import { ForeignOrchestratorError, type Orchestrator } from './orchestrator.ts';
import { bounded } from './temporal-orchestrator.ts';
import { TimeLimitError, withinLimit } from '../time-limit.ts';

/** For how long a look at the namespace counts, in ms. */
export const LOOK_COUNTS_MS = 30_000;
const LOOK_MS = 2_000;
/** How long a ping waits for PostgreSQL, in ms. */
const PING_TIE_MS = 1_000;

export interface Tie {
  readonly database: Queryable;
  readonly temporal: Pick<TemporalClient, 'client' | 'namespace'>;
}

/**
 * An orchestrator that does nothing in a namespace other than the one that the installation is tied to (by its first worker,
 * or by an operator): a run there would be unknown to every worker, and a run's absence there means nothing. Each method may
 * throw {@link ForeignOrchestratorError}.
 */
export function tiedOrchestrator(inner: Orchestrator, tie: Tie): Orchestrator {
  const refuseForeign = foreignGuard(tie);
  return {
    start: (run) => refuseForeign().then(() => inner.start(run)),
    isolate: (run) => refuseForeign().then(() => inner.isolate(run)),
    update: (run, verb, sent) => refuseForeign().then(() => inner.update(run, verb, sent)),
    close: (run, as) => refuseForeign().then(() => inner.close(run, as)),
    look: (run) => refuseForeign().then(() => inner.look(run)),
    ping: async () => {
      await inner.ping();
      // That PostgreSQL is unavailable says nothing about Temporal.
      await withinLimit(PING_TIE_MS, refuseForeign()).catch((error: unknown) => {
        if (!(error instanceof DatabaseUnavailableError || error instanceof TimeLimitError)) throw error;
      });
    },
    pollers: () => inner.pollers(),
  };
}

function foreignGuard(tie: Tie): () => Promise<void> {
  let last: { readonly untilMs: number; readonly problem: Promise<string | undefined> } | undefined;
  return async () => {
    if (last === undefined || Date.now() >= last.untilMs) {
      const mine = { untilMs: Date.now() + LOOK_COUNTS_MS, problem: problemOf(tie) };
      last = mine;
      // A look without an answer does not count.
      mine.problem.catch(() => {
        if (last === mine) last = undefined;
      });
    }
    const problem = await last.problem;
    if (problem !== undefined) throw new ForeignOrchestratorError(problem);
  };
}

function problemOf({ database, temporal: { client, namespace } }: Tie): Promise<string | undefined> {
  return findForeignNamespace(database, () =>
    bounded(client, LOOK_MS, `describe namespace ${namespace}`, () => lookUpNamespace(client, namespace)),
  );
}
