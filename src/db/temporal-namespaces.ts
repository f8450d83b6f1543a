import { z } from 'zod';
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
export async function adoptNamespace(db: Queryable, { namespace, by, reason }: NamespaceChoice): Promise<void> {
  await db.query('insert into temporal_namespaces (namespace_id, name, tied_by, reason) values ($1, $2, $3, $4)', [
    namespace.id,
    namespace.name,
    by,
    reason,
  ]);
}
