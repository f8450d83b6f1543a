import { z } from 'zod';
import type { SignedJson } from '../contracts/certificate.ts';
import { json } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const jwk = z.looseObject({ kty: z.string(), kid: z.string() });
type PublicJwk = z.output<typeof jwk>;
const keyRow = z.object({ kid: z.string(), publicJwk: jwk, privateJwk: z.instanceof(Buffer) });
/** A key of this installation; its private part is encrypted. */
export type SigningKeyRow = z.output<typeof keyRow>;

/** The key that signs now; undefined: there is none yet. */
export async function findSigningKey(db: Queryable): Promise<SigningKeyRow | undefined> {
  return rowOf(
    keyRow,
    await db.query(
      `select kid, public_jwk as "publicJwk", private_jwk as "privateJwk" from signing_keys where retired_at is null`,
    ),
  );
}

/** Stores a key that signs from now on, unless there is one. */
export async function insertSigningKey(db: Queryable, key: SigningKeyRow): Promise<void> {
  await db.query(
    `insert into signing_keys (kid, public_jwk, private_jwk) values ($1, $2, $3)
     on conflict ((true)) where retired_at is null do nothing`,
    [key.kid, json(key.publicJwk), key.privateJwk],
  );
}

/** The key signs no more, and its private part is gone. @returns false: it did not sign any more */
export async function retireSigningKey(tx: Queryable, kid: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update signing_keys set retired_at = now(), private_jwk = '' where kid = $1 and retired_at is null`,
    [kid],
  );
  return rowCount === 1;
}

/** Public parts of all keys that ever signed, newest first. */
export async function listPublicKeys(db: Queryable): Promise<PublicJwk[]> {
  const answer = await db.query(`select public_jwk as "publicJwk" from signing_keys order by created_at desc, kid`);
  return rowsOf(z.object({ publicJwk: jwk }), answer).map(({ publicJwk }) => publicJwk);
}

const signed = z.object({ jws: z.object({ payload: z.string(), protected: z.string(), signature: z.string() }) });

/** What was certified of the deletion of a tenant. */
export async function findCertificate(db: Queryable, tenantId: string): Promise<SignedJson | undefined> {
  const answer = await db.query('select jws from certificates where tenant_id = $1 order by at desc limit 1', [
    tenantId,
  ]);
  return rowOf(signed, answer)?.jws;
}

/** Stores what is certified of an operation, unless something is. */
export async function insertCertificate(
  db: Queryable,
  { operationId, tenantId, jws }: { readonly operationId: string; readonly tenantId: string; readonly jws: SignedJson },
): Promise<void> {
  await db.query(
    'insert into certificates (operation_id, tenant_id, jws) values ($1, $2, $3) on conflict (operation_id) do nothing',
    [operationId, tenantId, json(jws)],
  );
}
