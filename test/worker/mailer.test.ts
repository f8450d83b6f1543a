import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import type { CellAws } from '../../src/aws/cell-aws.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { queueMail } from '../../src/db/mails.ts';
import { sendDueMails } from '../../src/worker/mailer.ts';
import { cell, platform, seedTenant, setRunning, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

async function welcomed(status: 'active' | 'deleting'): Promise<Seeded> {
  const tenant = await seedTenant(db);
  await setRunning(db, tenant);
  await db.query(`update tenants set status = 'active' where id = $1`, [tenant.tenantId]);
  if (status === 'deleting') await db.query(`update tenants set status = 'deleting' where id = $1`, [tenant.tenantId]);
  await queueMail(db, { ...tenant, cell: cell.id, template: 'welcome' });
  return tenant;
}

const mailEvents = async ({ tenantId }: Seeded) =>
  (await listEvents(db, tenantId)).map((e) => e.type).filter((type) => type.startsWith('mail.'));

it('sends what it can: neither a mail that is refused nor one without a reader keeps the others back', async () => {
  const [poisoned, gone, last] = [await welcomed('active'), await welcomed('deleting'), await welcomed('active')];
  const sent: string[] = [];
  const mail: CellAws['mail'] = {
    send: ({ idempotencyKey }) => {
      if (idempotencyKey.startsWith(poisoned.operationId)) return Promise.reject(new Error('refused'));
      sent.push(idempotencyKey);
      return Promise.resolve('message-1');
    },
  };
  const deps = { database: db, platform, aws: () => ({ mail }), log: pino({ level: 'silent' }) };
  await sendDueMails(deps);
  await sendDueMails(deps);
  expect(sent).toEqual([`${last.operationId}.welcome`]);
  expect(await mailEvents(poisoned)).toEqual(['mail.queued']);
  expect(await mailEvents(gone)).toEqual(['mail.queued', 'mail.failed']);
  expect(await mailEvents(last)).toEqual(['mail.queued', 'mail.sent']);
});

it('tries for a day, then gives the mail up with an alert', async () => {
  const tenant = await welcomed('active');
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  const mail: CellAws['mail'] = { send: () => Promise.reject(new Error('SES is away')) };
  const round = async (age: string) => {
    await db.query(
      'update mails set queued_at = now() - $2::interval, next_attempt_at = now() where operation_id = $1',
      [tenant.operationId, age],
    );
    await sendDueMails({ database: db, platform, aws: () => ({ mail }), log });
  };
  await round('23 hours 59 minutes');
  expect(await mailEvents(tenant)).toEqual(['mail.queued']);
  expect(lines).toEqual([]);
  const died = vi.spyOn(log, 'error').mockImplementationOnce(() => {
    throw new Error('the worker dies');
  });
  await expect(round('1 day')).rejects.toThrow('the worker dies');
  expect(await mailEvents(tenant)).toEqual(['mail.queued']);
  died.mockRestore();
  await round('1 day');
  expect(await mailEvents(tenant)).toEqual(['mail.queued', 'mail.failed']);
  const alerts = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(alerts).toMatchObject([{ alert: 'mail-given-up', tenantId: tenant.tenantId, reason: 'SES is away' }]);
});

it('claims no further mail once it is to stop: another worker sends it at once', async () => {
  const tenants = [await welcomed('active'), await welcomed('active')];
  const stop = new AbortController();
  const sent: string[] = [];
  const mail: CellAws['mail'] = {
    send: ({ idempotencyKey }) => {
      sent.push(idempotencyKey);
      stop.abort();
      return Promise.resolve('message-1');
    },
  };
  const deps = { database: db, platform, aws: () => ({ mail }), log: pino({ level: 'silent' }) };
  await sendDueMails(deps, stop.signal);
  expect(sent).toHaveLength(1);
  await sendDueMails(deps);
  expect(sent.sort()).toEqual(tenants.map(({ operationId }) => `${operationId}.welcome`).sort());
});
