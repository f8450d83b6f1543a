import { z } from 'zod';
import { givenRoles, type CallerScope, type GivenRole } from '../contracts/caller.ts';
import { credentialTrace, type CredentialTrace } from '../contracts/credential.ts';
import { json, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

const scope: z.ZodType<CallerScope> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tenants'), ids: z.array(uuid) }),
  z.object({ kind: z.literal('own') }),
]);

const ticketRow = z.object({
  tenantId: uuid,
  principal: z.string(),
  role: z.enum(givenRoles),
  scope: scope.nullable(),
  credential: credentialTrace.nullable(),
  credentialExpiresAt: optionalTime,
  /** By the clock of the database. */
  expired: z.boolean(),
});
export type TicketRow = z.output<typeof ticketRow>;

export interface NewTicket {
  readonly hash: Buffer;
  readonly tenantId: string;
  readonly principal: string;
  readonly role: GivenRole;
  readonly scope: CallerScope | undefined;
  readonly credential: CredentialTrace | undefined;
  readonly credentialExpiresAt: Date | undefined;
}

/** @returns when it expires */
export async function insertTicket(tx: Queryable, ticket: NewTicket): Promise<Date> {
  const answer = await tx.query(
    `insert into stream_tickets (hash, tenant_id, principal, role, scope, credential, credential_expires_at)
     values ($1, $2, $3, $4, $5, $6, $7) returning expires_at as "expiresAt"`,
    [
      ticket.hash,
      ticket.tenantId,
      ticket.principal,
      ticket.role,
      json(ticket.scope),
      json(ticket.credential),
      ticket.credentialExpiresAt ?? null,
    ],
  );
  const row = rowOf(z.object({ expiresAt: time }), answer);
  if (!row) throw new Error('the ticket was not stored');
  return row.expiresAt;
}

/** Takes a ticket away: of all that try, one gets it. @returns undefined when there is none */
export async function takeTicket(db: Queryable, hash: Buffer): Promise<TicketRow | undefined> {
  const answer = await db.query(
    `delete from stream_tickets where hash = $1
     returning tenant_id as "tenantId", principal, role, scope, credential, credential_expires_at as "credentialExpiresAt",
       expires_at <= clock_timestamp() as expired`,
    [hash],
  );
  return rowOf(ticketRow, answer);
}

/** One statement must not last long; what is left is for the next round. */
const BATCH = 10_000;

/** Deletes tickets that have expired. @returns how many */
export async function sweepExpiredTickets(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from stream_tickets where hash in (
       select hash from stream_tickets where expires_at <= clock_timestamp() limit $1 for update skip locked)`,
    [BATCH],
  );
  return rowCount;
}
