import type pg from 'pg';
import { z } from 'zod';
import { newClient } from './connections.ts';
import { unavailable } from './database-errors.ts';
import { rowsOf } from './rows.ts';

const seenRow = z.object({
  role: z.string(),
  database: z.string(),
  standby: z.boolean(),
  readOnly: z.boolean(),
  settings: z.record(z.string(), z.string()),
  nowMs: z.coerce.number(),
});

/**
 * What keeps sessions that are opened like this from doing their work for as long as nobody changes it: a server or a role
 * that only reads, a pooler that drops what the sessions ask for or does not keep a session for each client, a clock that is not
 * the server's.
 *
 * @param nowMs this machine's clock
 * @returns a sentence each
 * @throws DatabaseUnavailableError when no session can be had
 */
export async function sessionProblems(config: pg.ClientConfig, nowMs: () => number = Date.now): Promise<string[]> {
  const [one, two] = [newClient(config), newClient(config)];
  try {
    await one.connect();
    const askedMs = nowMs();
    const [seen] = rowsOf(seenRow, await one.query(looks));
    const answeredMs = nowMs();
    await two.connect();
    const isShared = (await backendOf(one)) === (await backendOf(two));
    const ofOne = seen
      ? [
          ...readOnlyProblems(seen),
          ...droppedProblems(seen, config),
          ...clockProblems(seen.nowMs, { askedMs, answeredMs }),
        ]
      : [];
    return [...ofOne, ...(isShared ? [shared] : [])];
  } catch (error) {
    throw unavailable(error) ?? error;
  } finally {
    await Promise.all([one, two].map((client) => client.end().catch(() => undefined)));
  }
}

/** Milliseconds of each time-out, so that units do not matter. */
const looks = `select current_user::text as role, current_database()::text as database, pg_is_in_recovery() as standby,
  current_setting('default_transaction_read_only') = 'on' as "readOnly", extract(epoch from clock_timestamp()) * 1000 as "nowMs",
  (select json_object_agg(name, setting) from pg_settings
   where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')) as settings`;

const shared =
  'two sessions share one process of PostgreSQL: a pooler in transaction mode; locks and LISTEN need a session for each client (session mode, or PostgreSQL itself)';

function readOnlyProblems({ role, database, standby, readOnly }: z.infer<typeof seenRow>): string[] {
  if (standby) return [`database ${database} is on a standby, which only reads: name the primary in the URL`];
  if (!readOnly) return [];
  return [
    `sessions of role ${role} on database ${database} only read: reset default_transaction_read_only of the role, the database or the server`,
  ];
}

/** Times that one process writes are judged by another: more than this between two machines is a wrong clock, in ms. */
const MAX_SKEW_MS = 10_000;

function clockProblems(
  serverMs: number,
  { askedMs, answeredMs }: { readonly askedMs: number; readonly answeredMs: number },
): string[] {
  const aheadMs = Math.max(askedMs - serverMs, 0);
  const behindMs = Math.max(serverMs - answeredMs, 0);
  const byMs = Math.max(aheadMs, behindMs);
  if (byMs <= MAX_SKEW_MS) return [];
  const where = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    `the clock of this machine is ${Math.round(byMs / 1000)} s ${where} PostgreSQL's: correct it (NTP); times that are written here are judged elsewhere`,
  ];
}

/** A pooler may be told to ignore what it cannot pass on; without these time-outs a call that hangs would never end. */
function droppedProblems({ settings }: z.infer<typeof seenRow>, config: pg.ClientConfig): string[] {
  const asked = {
    statement_timeout: config.statement_timeout,
    lock_timeout: config.lock_timeout,
    idle_in_transaction_session_timeout: config.idle_in_transaction_session_timeout,
  };
  return Object.entries(asked).flatMap(([name, value]) =>
    value === undefined || value === false || settings[name] === String(value)
      ? []
      : [`${name} is ${settings[name] ?? 'unknown'} ms instead of ${value} ms: a pooler drops what sessions ask for`],
  );
}

async function backendOf(client: pg.Client): Promise<number | undefined> {
  return rowsOf(z.object({ pid: z.number() }), await client.query('select pg_backend_pid() as pid'))[0]?.pid;
}
