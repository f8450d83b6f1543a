import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from '../db/database.ts';
import { claimDueMails, recordMailFailure, recordMailSent, type MailRow } from '../db/mails.ts';
import { findTenant } from '../db/tenants.ts';
import { welcomeMail } from '../mail/welcome.ts';
import { cellById } from '../platform.ts';
import { systemCaller } from '../process-caller.ts';

export interface MailerDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly aws: (cellId: string) => Pick<CellAws, 'mail'>;
  readonly log: Logger;
}

/** Mails of a round; SES sends a few per second in a young account. */
const BATCH = 10;

/**
 * Sends what lies in the outbox, outside any operation: a mail that fails never takes a tenant back (requirement U-15).
 * A worker that dies between SES's answer and our note sends the mail twice; both carry the same `X-Tenantry-Mail-Id`.
 *
 * @param stop no further mail is claimed once it is aborted
 */
export async function sendDueMails(deps: MailerDeps, stop?: AbortSignal): Promise<void> {
  for (let left = BATCH; left > 0 && stop?.aborted !== true; left -= 1) {
    const [mail] = await claimDueMails(deps.database, 1);
    if (!mail) return;
    try {
      await recordMailSent(deps.database, mail.id, await send(deps, mail), systemCaller('worker'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      deps.log.warn({ mailId: mail.id, tenantId: mail.tenantId, attempts: mail.attempts, err: error }, 'mail not sent');
      const final = error instanceof PointlessMailError;
      await recordMailFailure(deps.database, mail.id, { reason, final, caller: systemCaller('worker') }, () => {
        if (final) return;
        const at = { alert: 'mail-given-up', mailId: mail.id, tenantId: mail.tenantId, template: mail.template };
        deps.log.error({ ...at, reason }, 'a mail was given up after a day');
      });
    }
  }
}

/** There is nobody left to welcome. */
class PointlessMailError extends Error {}

async function send({ database, platform, aws }: MailerDeps, mail: MailRow): Promise<string> {
  const tenant = await findTenant(database, mail.tenantId);
  if (!tenant) throw new Error(`mail ${mail.id} is for tenant ${mail.tenantId}, which does not exist`);
  if (tenant.status === 'deleting' || tenant.status === 'deleted')
    throw new PointlessMailError(`tenant ${tenant.id} is ${tenant.status}`);
  if (mail.template !== 'welcome')
    throw new Error(`mail ${mail.id} names template "${mail.template}", which does not exist`);
  const cell = cellById(platform, mail.cell);
  const { displayName, tenantUrl, contactEmail } = tenant;
  return aws(mail.cell).mail.send({
    from: cell.mailFrom,
    to: contactEmail,
    replyTo: cell.mailReplyTo,
    idempotencyKey: `${mail.operationId}.${mail.template}`,
    ...welcomeMail({ displayName, tenantUrl, userName: contactEmail }, cell.mailLocale),
  });
}
