import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { callerJson, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { rowOf } from './rows.ts';

/** A Temporal namespace as the server knows it. */
export interface TemporalNamespace {
  /** The server's UUID of it: another server has another, whatever it is called. */
  readonly id: string;
  readonly name: string;
}

/** A choice of namespace, and who stands for it. */
export interface NamespaceChoice {
  readonly namespace: TemporalNamespace;
  readonly by: string;
  readonly reason: string;
  readonly caller: Caller;
}

/** The namespace that holds this installation's runs; undefined before its first worker. */
export async function findNamespace(db: Queryable): Promise<TemporalNamespace | undefined> {
  return rowOf(
    z.object({ id: z.string(), name: z.string() }),
    await db.query(
      'select namespace_id as id, name from temporal_namespaces order by temporal_namespaces.id desc limit 1',
    ),
  );
}

/** Who this installation is, and the namespace that it is tied to. */
export interface InstallationTie {
  readonly installationId: string;
  /** Undefined before the first worker. */
  readonly namespace: TemporalNamespace | undefined;
}

/** @throws Error when the database holds no installation */
export async function findTie(db: Queryable): Promise<InstallationTie> {
  const row = rowOf(
    z.object({ installationId: uuid, id: z.string().nullable(), name: z.string().nullable() }),
    await db.query(
      `select i.id as "installationId", n.namespace_id as id, n.name
       from installation i left join temporal_namespaces n on true order by n.id desc limit 1`,
    ),
  );
  if (!row) throw new Error('the database names no installation: its first migration makes that row');
  const { installationId, id, name } = row;
  return { installationId, namespace: id === null || name === null ? undefined : { id, name } };
}

/** Ties an installation that has none yet to the namespace. @returns the one it is tied to */
export function tieToNamespace(db: Database, choice: NamespaceChoice): Promise<TemporalNamespace> {
  return db.transaction(async (tx) => {
    await tx.query('select from installation for update');
    const tied = await findNamespace(tx);
    if (!tied) await adoptNamespace(tx, choice);
    return tied ?? choice.namespace;
  });
}

/** Ties the installation to the namespace from now on; the earlier ones stay on record. */
export async function adoptNamespace(db: Queryable, { namespace, by, reason, caller }: NamespaceChoice): Promise<void> {
  await db.query(
    'insert into temporal_namespaces (namespace_id, name, tied_by, reason, caller) values ($1, $2, $3, $4, $5)',
    [namespace.id, namespace.name, by, reason, callerJson(caller)],
  );
}
