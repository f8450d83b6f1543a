import type { Client } from '@temporalio/client';
import type { Queryable } from '../db/database.ts';
import { findTie, type InstallationTie, type TemporalNamespace } from '../db/temporal-namespaces.ts';
import { findHolder } from './namespace-mark.ts';

/** A namespace, and the installation that has taken it. */
export interface SeenNamespace extends TemporalNamespace {
  readonly holder: string | undefined;
}

/**
 * The namespace that the client is connected to, with the server's own id of it.
 * @returns undefined when the server gives namespaces no ids (the time-skipping test server)
 * @throws ServiceError when Temporal cannot be reached or has no such namespace
 */
export async function lookUpNamespace(client: Client, name: string): Promise<SeenNamespace | undefined> {
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: name });
  return namespaceInfo?.id ? { id: namespaceInfo.id, name, holder: await findHolder(client) } : undefined;
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

/** A sentence for an installation in a namespace that another one has taken; undefined when it is its own or free. */
export function holderProblem(seen: SeenNamespace, installationId: string): string | undefined {
  if (seen.holder === undefined || seen.holder === installationId) return undefined;
  return (
    `the Temporal namespace "${seen.name}" (id ${seen.id}) holds the runs of installation ${seen.holder}, ` +
    `this database is installation ${installationId}: give each installation a namespace of its own (TEMPORAL_NAMESPACE); ` +
    'when that installation is gone for good: tenantry adopt-namespace --reason "<why>"'
  );
}

/**
 * Whether Temporal is another than the one that holds this installation's runs, or holds those of another installation.
 * Changes nothing; an installation that is tied to no namespace yet may have any that no other has taken.
 *
 * @returns {@link namespaceProblem} or {@link holderProblem}
 */
export async function findForeignNamespace(
  database: Queryable,
  lookUp: () => Promise<SeenNamespace | undefined>,
): Promise<string | undefined> {
  const tie = await findTie(database);
  const seen = await lookUp();
  return seen && tieProblem(tie, seen);
}

/** @returns {@link namespaceProblem} or {@link holderProblem} */
export function tieProblem({ installationId, namespace }: InstallationTie, seen: SeenNamespace): string | undefined {
  return (namespace && namespaceProblem(namespace, seen)) ?? holderProblem(seen, installationId);
}
