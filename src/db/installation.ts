import { z } from 'zod';
import { uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

/** Id of this installation: part of every tag set, ownership marker and hashed name. */
export async function findInstallationId(db: Queryable): Promise<string> {
  const row = rowOf(z.object({ id: uuid }), await db.query('select id from installation'));
  if (!row) throw new Error('the database names no installation: its first migration makes that row');
  return row.id;
}
