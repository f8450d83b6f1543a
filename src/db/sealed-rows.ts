import { z } from 'zod';
import { optionalTime } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** What is stored encrypted with a payload key. */
export const sealedKinds = ['signing key', 'webhook secret', 'kept answer'] as const;
export type SealedKind = (typeof sealedKinds)[number];

const sealedCount = z.object({
  what: z.enum(sealedKinds),
  /** Null: it bears none. */
  key: z.string().nullable(),
  count: z.number(),
  /** When the last of them ends by itself; null: it does not. */
  until: optionalTime,
});
export type SealedCount = z.output<typeof sealedCount>;

/** The id of the key stands in the clear before what is encrypted: metadata of a payload. */
const keyIn = (column: string) => `substring(encode(${column}, 'escape') from 'encryption-key-id..([0-9a-f]{16})')`;

/** How much is stored under which key. */
export async function countSealed(db: Queryable): Promise<SealedCount[]> {
  const answer = await db.query(
    `select 'signing key' as what, ${keyIn('private_jwk')} as key, count(*)::int as count, null::timestamptz as until
     from signing_keys where retired_at is null group by 2
     union all
     select 'webhook secret', ${keyIn('sealed')}, count(*)::int, case when bool_or(expires_at is null) then null else max(expires_at) end
     from webhook_secrets group by 2
     union all
     select 'kept answer', ${keyIn('answer')}, count(*)::int, max(expires_at) from idempotency_keys where answer is not null group by 2
     order by 1 desc, 2`,
  );
  return rowsOf(sealedCount, answer);
}

const sealedRow = z.object({ id: z.string(), sealed: z.instanceof(Buffer) });
export type SealedRow = z.output<typeof sealedRow>;

/** What lasts and is not under a key, locked. */
export async function lockSealedOtherwise(tx: Queryable, what: LastingKind, key: string): Promise<SealedRow[]> {
  const { table, id, column, where } = lasting[what];
  const answer = await tx.query(
    `select ${id}::text as id, ${column} as sealed from ${table} where ${where} and ${keyIn(column)} is distinct from $1 for update`,
    [key],
  );
  return rowsOf(sealedRow, answer);
}

export async function replaceSealed(tx: Queryable, what: LastingKind, { id: rowId, sealed }: SealedRow): Promise<void> {
  const { table, id, column } = lasting[what];
  await tx.query(`update ${table} set ${column} = $2 where ${id}::text = $1`, [rowId, sealed]);
}

export type LastingKind = Exclude<SealedKind, 'kept answer'>;
const lasting = {
  'signing key': { table: 'signing_keys', id: 'kid', column: 'private_jwk', where: 'retired_at is null' },
  'webhook secret': { table: 'webhook_secrets', id: 'id', column: 'sealed', where: 'true' },
} as const satisfies Record<LastingKind, object>;
