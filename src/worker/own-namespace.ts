import { hostname } from 'node:os';
import { findNamespace, tieToNamespace } from '../db/temporal-namespaces.ts';
import type { Database } from '../db/database.ts';
import type { TemporalClient } from '../temporal/client.ts';
import { lookUpNamespace, namespaceProblem } from '../temporal/namespace.ts';

/**
 * Ties an installation to the namespace that its first worker serves. A worker of another one knows none of its runs, and
 * would take them all for lost while they go on.
 *
 * @returns what is wrong, as a sentence; undefined in the installation's own namespace
 * @throws ServiceError when Temporal cannot be reached
 */
export async function foreignNamespace(
  database: Database,
  { client, namespace }: TemporalClient,
): Promise<string | undefined> {
  const seen = await client.withDeadline(Date.now() + 10_000, () => lookUpNamespace(client, namespace));
  if (!seen) return undefined;
  const choice = { namespace: seen, by: `worker on ${hostname()}`, reason: 'the first worker' };
  return namespaceProblem(await tieToNamespace(database, choice), seen);
}

/**
 * The same look, without tying anything.
 *
 * @throws ServiceError when Temporal cannot be reached
 */
export async function findForeignNamespace(
  database: Database,
  { client, namespace }: TemporalClient,
): Promise<string | undefined> {
  const tied = await findNamespace(database);
  if (!tied) return undefined;
  const seen = await client.withDeadline(Date.now() + 10_000, () => lookUpNamespace(client, namespace));
  return seen && namespaceProblem(tied, seen);
}
