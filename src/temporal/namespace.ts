import type { Client } from '@temporalio/client';
import type { Queryable } from '../db/database.ts';
import { findNamespace, type TemporalNamespace } from '../db/temporal-namespaces.ts';

/**
 * The namespace that the client is connected to, with the server's own id of it.
 * @returns undefined when the server gives namespaces no ids (the time-skipping test server)
 * @throws ServiceError when Temporal cannot be reached or has no such namespace
 */
export async function lookUpNamespace(client: Client, name: string): Promise<TemporalNamespace | undefined> {
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: name });
  return namespaceInfo?.id ? { id: namespaceInfo.id, name } : undefined;
}

/** A sentence for whoever is connected to another namespace than the installation is tied to; undefined in its own. */
export function namespaceProblem(tied: TemporalNamespace, seen: TemporalNamespace): string | undefined {
  if (tied.id === seen.id) return undefined;
  return (
    `the runs of this database are in the Temporal namespace "${tied.name}" (id ${tied.id}), ` +
    `this is "${seen.name}" (id ${seen.id}): set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to that one; ` +
    'when it is gone for good: tenantry adopt-namespace --reason "<why>"'
  );
}

/**
 * Whether Temporal is another than the one that holds this installation's runs. Changes nothing; an installation that is tied
 * to none yet has no foreign one, and `lookUp` is not asked.
 *
 * @returns {@link namespaceProblem}
 */
export async function findForeignNamespace(
  database: Queryable,
  lookUp: () => Promise<TemporalNamespace | undefined>,
): Promise<string | undefined> {
  const tied = await findNamespace(database);
  if (!tied) return undefined;
  const seen = await lookUp();
  return seen && namespaceProblem(tied, seen);
}
