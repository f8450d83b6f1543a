import { hostname } from 'node:os';
import { tieToNamespace, type TemporalNamespace } from '../db/temporal-namespaces.ts';
import type { Database } from '../db/database.ts';
import type { TemporalClient } from '../temporal/client.ts';
import { lookUpNamespace, namespaceProblem } from '../temporal/namespace.ts';

const LOOK_MS = 10_000;

/**
 * Ties an installation to the namespace that its first worker serves. A worker of another one knows none of its runs, and
 * would take them all for lost while they go on.
 *
 * @returns what is wrong, as a sentence; undefined in the installation's own namespace
 * @throws ServiceError when Temporal cannot be reached
 */
export async function foreignNamespace(database: Database, temporal: TemporalClient): Promise<string | undefined> {
  const seen = await lookUpOwn(temporal);
  if (!seen) return undefined;
  const choice = { namespace: seen, by: `worker on ${hostname()}`, reason: 'the first worker' };
  return namespaceProblem(await tieToNamespace(database, choice), seen);
}

/** The namespace that a worker is connected to. @throws ServiceError when Temporal does not answer in time */
export function lookUpOwn({ client, namespace }: TemporalClient): Promise<TemporalNamespace | undefined> {
  return client.withDeadline(Date.now() + LOOK_MS, () => lookUpNamespace(client, namespace));
}
