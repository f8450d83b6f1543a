import type { Caller } from '../contracts/caller.ts';
import { fieldsWithoutSecrets } from '../contracts/secret-fields.ts';
import { callerJson, json } from './columns.ts';
import type { Queryable } from './database.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a change is of. */
export interface AuditFacts {
  readonly tenantId?: string | null | undefined;
  readonly operationId?: string | undefined;
  /** What callers choose, as it was and as it is desired from now on. */
  readonly before?: Fields | undefined;
  readonly after?: Fields | undefined;
  readonly data?: Fields | undefined;
}

export interface NewAuditEntry extends AuditFacts {
  /** Id of the operation in the description of the API; of a command, what it does: `createKey`. */
  readonly action: string;
  /** `asked`: a run was asked for it. */
  readonly outcome: 'done' | 'asked';
  readonly caller: Caller;
}

/** Notes who changes what, secrets masked; to be called in the transaction of the change. */
export async function insertAuditEntry(tx: Queryable, entry: NewAuditEntry): Promise<void> {
  const { action, outcome, caller, tenantId = null, operationId = null, before, after, data = {} } = entry;
  const masked = (fields: Fields | undefined) => json(fields && fieldsWithoutSecrets(fields));
  await tx.query(
    `insert into audit_entries (action, outcome, tenant_id, operation_id, caller, before, after, data)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [action, outcome, tenantId, operationId, callerJson(caller), masked(before), masked(after), masked(data)],
  );
}
