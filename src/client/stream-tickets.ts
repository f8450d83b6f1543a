import type { CallerScope, GivenRole } from '../contracts/caller.ts';
import type { CredentialTrace } from '../contracts/credential.ts';
import { insertTicket, takeTicket } from '../db/stream-tickets.ts';
import { hashOfTicket, newTicketText } from '../stream-ticket.ts';
import type { Once } from './once.ts';
import { inVain } from './preview.ts';
import { existingTenant } from './reading.ts';
import type { ClientDeps } from './requests.ts';

/** Whom a ticket stands for, and by what their credential is asked for again. */
export interface TicketHolder {
  readonly principal: string;
  readonly role: GivenRole;
  readonly scope?: CallerScope | undefined;
  readonly credential?: CredentialTrace | undefined;
  /** When the credential ends. */
  readonly expiresAt?: Date | undefined;
}

/** Opens one live stream. */
export interface StreamTicketView {
  readonly ticket: string;
  readonly expiresAt: string;
  /** Path and query. */
  readonly url: string;
}

export interface StreamTicketPreview {
  readonly dryRun: true;
  readonly expiresAt: string;
}

type Deps = Pick<ClientDeps, 'database'>;

/** @throws RequestError TENANT_NOT_FOUND */
export async function createTicket(
  { database }: Deps,
  tenantId: string,
  holder: TicketHolder,
  once: Once<StreamTicketView>,
): Promise<StreamTicketView> {
  return database.transaction(async (tx) => {
    const write = () => madeTicket(tx, tenantId, holder);
    return once.write(tx, write, (outcome) => ({ outcome, audit: { tenantId } }));
  });
}

/** What {@link createTicket} would do; its ticket is made in vain and shown to nobody. */
export async function previewTicket(
  { database }: Deps,
  tenantId: string,
  holder: TicketHolder,
): Promise<StreamTicketPreview> {
  const { expiresAt } = await inVain(database, (tx) => madeTicket(tx, tenantId, holder));
  return { dryRun: true, expiresAt };
}

async function madeTicket(
  tx: Parameters<typeof insertTicket>[0],
  tenantId: string,
  { principal, role, scope, credential, expiresAt: credentialExpiresAt }: TicketHolder,
): Promise<StreamTicketView> {
  await existingTenant(tx, tenantId);
  const ticket = newTicketText();
  const row = { hash: hashOfTicket(ticket), tenantId, principal, role, scope, credential, credentialExpiresAt };
  const expiresAt = await insertTicket(tx, row);
  return {
    ticket,
    expiresAt: expiresAt.toISOString(),
    url: `/api/v1/tenants/${tenantId}/events?ticket=${ticket}`,
  };
}

/** Uses a ticket up, whatever comes of it. @returns undefined when it is none that opens this tenant's stream (any more) */
export async function useTicket(
  { database }: Deps,
  ticket: string,
  tenantId: string,
): Promise<TicketHolder | undefined> {
  const row = await takeTicket(database, hashOfTicket(ticket));
  if (!row || row.expired || row.tenantId !== tenantId) return undefined;
  const { principal, role, scope, credential, credentialExpiresAt } = row;
  return {
    ...{ principal, role },
    ...(scope && { scope }),
    ...(credential && { credential }),
    ...(credentialExpiresAt && { expiresAt: credentialExpiresAt }),
  };
}
