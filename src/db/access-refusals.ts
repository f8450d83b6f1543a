import type { Role } from '../contracts/caller.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Database } from './database.ts';

/** A request that was refused for who asked. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Of a credential that was not taken. */
  readonly reason?: string | undefined;
  /** Undefined: nobody is known to have asked. */
  readonly principal?: string | undefined;
  readonly role?: Role | undefined;
  /** Id of the operation in the description of the API. */
  readonly operation?: string | undefined;
  readonly method: string;
  readonly tenantId?: string | undefined;
  readonly address: string;
  readonly requestId: string;
  /** How many of the same have no row since the last one that has. */
  readonly unrecorded: number;
}

/** Appends it, and removes what is older than the table keeps. */
export async function insertRefusal(db: Pick<Database, 'query'>, refusal: Refusal): Promise<void> {
  const r = refusal;
  await db.query(
    `with old as (delete from access_refusals where at < now() - interval '91 days')
     insert into access_refusals (code, reason, principal, role, operation, method, tenant_id, address, request_id, unrecorded)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[r.code, r.reason ?? null, r.principal ?? null, r.role ?? null, r.operation ?? null, r.method],
      ...[r.tenantId ?? null, r.address, r.requestId, r.unrecorded],
    ],
  );
}
