import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { bigint, optionalTime, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import { rowOf, rowsOf } from './rows.ts';

const mailRow = z.object({
  id: bigint,
  tenantId: uuid,
  operationId: uuid,
  cell: z.string(),
  template: z.string(),
  /** Counts the one that was claimed. */
  attempts: z.number(),
  queuedAt: time,
  nextAttemptAt: time,
  sentAt: optionalTime,
  gaveUpAt: optionalTime,
});
export type MailRow = z.output<typeof mailRow>;

const columns = `id, tenant_id as "tenantId", operation_id as "operationId", cell, template, attempts,
  queued_at as "queuedAt", next_attempt_at as "nextAttemptAt", sent_at as "sentAt", gave_up_at as "gaveUpAt"`;

/** A sender that dies keeps a mail from the others for this long, in s. */
const leaseSeconds = 60;
const firstWaitSeconds = 30;
const longestWaitSeconds = 3_600;

export interface NewMail {
  readonly tenantId: string;
  readonly operationId: string;
  readonly cell: string;
  readonly template: string;
}

/** Queues a mail with its event, once per operation and template. */
export async function queueMail(tx: Queryable, mail: NewMail): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into mails (tenant_id, operation_id, cell, template) values ($1, $2, $3, $4)
     on conflict (operation_id, template) do nothing`,
    [mail.tenantId, mail.operationId, mail.cell, mail.template],
  );
  const { template, ...of } = mail;
  if (rowCount === 1) await appendEvent(tx, { ...of, type: 'mail.queued', data: { template } });
}

/** Mails whose time has come, each handed to one caller only until its lease of a minute ends. */
export async function claimDueMails(db: Queryable, limit: number): Promise<MailRow[]> {
  return rowsOf(
    mailRow,
    await db.query(
      `update mails set attempts = attempts + 1, next_attempt_at = now() + $2 * interval '1 second'
       where id in (
         select id from mails where sent_at is null and gave_up_at is null and next_attempt_at <= now()
         order by next_attempt_at limit $1 for update skip locked)
       returning ${columns}`,
      [limit, leaseSeconds],
    ),
  );
}

/** Marks a mail as sent, with its event; a second time does nothing. */
export function recordMailSent(db: Database, id: number, messageId: string, caller: Caller): Promise<void> {
  return db.transaction(async (tx) => {
    const mail = rowOf(
      mailRow,
      await tx.query(
        `update mails set sent_at = now(), message_id = $2, last_error = null
         where id = $1 and sent_at is null returning ${columns}`,
        [id, messageId],
      ),
    );
    if (!mail) return;
    await appendEvent(tx, { ...of(mail), type: 'mail.sent', data: { template: mail.template, messageId }, caller });
  });
}

/**
 * Notes a failed attempt: the next comes after 30 s, doubled each time up to an hour; a day after it was queued the
 * mail is given up, with its event. `final`: it is given up at once.
 * @param announce called just before it is given up: a death in between means that it is told again, not never
 */
export function recordMailFailure(
  db: Database,
  id: number,
  { reason, final = false, caller }: { readonly reason: string; readonly final?: boolean; readonly caller: Caller },
  announce: () => void = () => undefined,
): Promise<void> {
  return db.transaction(async (tx) => {
    const mail = rowOf(
      mailRow,
      await tx.query(
        `update mails set last_error = $2,
           gave_up_at = case when $5::boolean or queued_at <= now() - interval '1 day' then now() end,
           next_attempt_at = now() + least($3 * power(2, greatest(least(attempts, 20) - 1, 0)), $4) * interval '1 second'
         where id = $1 and sent_at is null and gave_up_at is null returning ${columns}`,
        [id, reason, firstWaitSeconds, longestWaitSeconds, final],
      ),
    );
    if (!mail?.gaveUpAt) return;
    await appendEvent(tx, { ...of(mail), type: 'mail.failed', data: { template: mail.template, reason }, caller });
    announce();
  });
}

function of(mail: MailRow) {
  return { cell: mail.cell, tenantId: mail.tenantId, operationId: mail.operationId };
}
