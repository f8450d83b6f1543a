import { findTie, tieToNamespace } from '../db/temporal-namespaces.ts';
import type { Database } from '../db/database.ts';
import { systemCaller } from '../process-caller.ts';
import type { TemporalClient } from '../temporal/client.ts';
import { takeNamespace } from '../temporal/namespace-mark.ts';
import {
  holderProblem,
  lookUpNamespace,
  namespaceProblem,
  tieProblem,
  type SeenNamespace,
} from '../temporal/namespace.ts';

const LOOK_MS = 10_000;

/**
 * Ties an installation and the namespace that its first worker serves to each other. A worker of another namespace knows none
 * of its runs, and would take them all for lost while they go on; a worker of another installation knows none of the
 * operations whose runs it would be given.
 *
 * @returns what is wrong, as a sentence; undefined in the installation's own namespace
 * @throws ServiceError when Temporal cannot be reached
 */
export async function foreignNamespace(database: Database, temporal: TemporalClient): Promise<string | undefined> {
  const seen = await lookUpOwn(temporal);
  if (!seen) return undefined;
  const tie = await findTie(database);
  const wrong = tieProblem(tie, seen);
  if (wrong !== undefined) return wrong;
  const { installationId } = tie;
  const holder = await withDeadline(temporal, () => takeNamespace(temporal.client, installationId));
  // The database is tied to it only then: that stays on record.
  const taken = holderProblem({ ...seen, holder }, installationId);
  if (taken !== undefined) return taken;
  const caller = systemCaller('worker');
  const choice = { namespace: seen, by: caller.principal, reason: 'the first worker', caller };
  return namespaceProblem(await tieToNamespace(database, choice), seen);
}

/** The namespace that a worker is connected to. @throws ServiceError when Temporal does not answer in time */
export function lookUpOwn(temporal: TemporalClient): Promise<SeenNamespace | undefined> {
  return withDeadline(temporal, () => lookUpNamespace(temporal.client, temporal.namespace));
}

function withDeadline<T>({ client }: TemporalClient, call: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + LOOK_MS, call);
}
