import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { HistoryEvent, ProcessWorld, Tenant } from './process-world.ts';

/** A record of an operation that is one transaction, and that Temporal is not told of before the worker is killed. */
export interface OperationRecord {
  /** What the case is called. */
  readonly name: string;
  /** State of the operation from which on nobody but the record needs its row. */
  readonly before: string;
  readonly after: string;
  /** Type of the activity that writes it. */
  readonly activity: string;
  /** The step that is ready by then; others need the row before. */
  readonly once?: string;
}

export const operationRecords = {
  claim: { name: 'claim', before: 'accepted', after: 'running', activity: 'claimOperation' },
  activation: { name: 'finalize', before: 'committing', after: 'succeeded', activity: 'tenant-activation.ensure' },
  commitOfMove: {
    ...{ name: 'commit', before: 'running', after: 'committing', activity: 'changeOperationState' },
    once: 'close_fence',
  },
  close: { name: 'close', before: 'committing', after: 'succeeded', activity: 'closeOperation' },
} as const satisfies Record<string, OperationRecord>;

/**
 * Resolves when the record of an operation is written and its worker is about to tell Temporal, which it cannot any more:
 * the row is held until the worker waits for it, then the wire. `onHeld` is called once the row is held.
 */
export async function untilUntold(
  world: ProcessWorld,
  tenant: Tenant,
  record: OperationRecord,
  onHeld: () => void = () => undefined,
): Promise<void> {
  const client = new pg.Client({ connectionString: new URL('/tenantry', world.postgres.adminUrl).href });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await holdRow(client, tenant, record);
    onHeld();
    await until(`${record.name} of ${tenant.slug} waits`, () => isWaitedFor(client));
    world.wire.hold();
    await client.query('rollback');
    const isTelling = () => world.wire.holds(tenant.workflowId, record.activity);
    await until(`${record.name} of ${tenant.slug} is told`, async () => isTelling());
    const { rows } = await client.query<{ state: string }>('select state from operations where id = $1', [
      tenant.operationId,
    ]);
    if (rows[0]?.state !== record.after) throw new Error(`${tenant.slug} is ${rows[0]?.state}, not ${record.after}`);
  } finally {
    await client.end();
  }
}

/** When Temporal was told of the record, by another attempt than the one killed at `since` (epoch ms): its history has it. */
export async function untilTold(
  world: ProcessWorld,
  { workflowId }: Tenant,
  { activity, name }: OperationRecord,
  since: number,
): Promise<number> {
  let toldAt: number | undefined;
  const look = async () =>
    (toldAt = completionsOf(await world.historyOf(workflowId), activity).find((at) => at >= since)) !== undefined;
  await until(`Temporal knows the ${name} of ${workflowId}`, look, 200);
  return toldAt ?? NaN;
}

function completionsOf(events: readonly HistoryEvent[], activity: string): number[] {
  const ids = events
    .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity)
    .map(({ eventId }) => String(eventId));
  return events
    .filter((event) => ids.includes(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)))
    .map(({ eventTime }) => Number(eventTime?.seconds) * 1_000 + (eventTime?.nanos ?? 0) / 1e6);
}

/** Takes the operation's row as soon as it is in this state; others may still refer to it. */
async function holdRow(
  client: pg.Client,
  { operationId, slug, tenantId }: Tenant,
  { before, once }: OperationRecord,
): Promise<void> {
  const isReady = async () => {
    const of = [tenantId, once];
    const { rows } = await client.query<{ state: string }>(
      'select state from steps where tenant_id = $1 and step_id = $2',
      of,
    );
    return rows[0]?.state === 'ready';
  };
  await until(`${slug} is ${before}`, async () => {
    if (once !== undefined && !(await isReady())) return false;
    await client.query('begin');
    const { rows } = await client.query<{ state: string }>(
      'select state from operations where id = $1 for no key update',
      [operationId],
    );
    if (rows[0]?.state === before) return true;
    await client.query('rollback');
    return false;
  });
}

async function isWaitedFor(client: pg.Client): Promise<boolean> {
  await client.query('select pg_stat_clear_snapshot()');
  const { rowCount } = await client.query(
    'select from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))',
  );
  return (rowCount ?? 0) > 0;
}

async function until(what: string, seen: () => Promise<boolean>, everyMs = 5): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await seen())) {
    if (Date.now() > end) throw new Error(`waited a minute: ${what}`);
    await sleep(everyMs);
  }
}
