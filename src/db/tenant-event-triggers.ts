import type { ClientBase } from 'pg';
import type { ErrorCode } from '../contracts/errors.ts';
import { StepError } from '../contracts/step-error.ts';
import { codeOf } from './database-errors.ts';
import { fieldOf, tenantDatabaseError } from './tenant-database-errors.ts';

interface RefusalWords {
  /** Of the refusal. */
  readonly code: ErrorCode;
  readonly action: string;
}

interface EventTrigger {
  readonly name: string;
  readonly owner: string;
  /** As PostgreSQL writes it into the context of an error. */
  readonly signature: string;
  readonly routine: string;
}

/**
 * Does it, and says which event trigger refused it: its function raises whatever it likes, and the error alone looks like a
 * defect of ours.
 * @param fn leaves no transaction open when it throws
 */
export async function namingEventTrigger(
  client: ClientBase,
  attempt: RefusalWords,
  fn: () => Promise<void>,
): Promise<void> {
  try {
    await fn();
  } catch (error) {
    throw (await refusalOf(client, attempt, error)) ?? error;
  }
}

/** What passes by itself in a trigger (a lock, for one) stays what it is. */
async function refusalOf(client: ClientBase, attempt: RefusalWords, error: unknown): Promise<StepError | undefined> {
  if (error instanceof StepError || fieldOf(error, 'where') === '') return undefined;
  const classed = tenantDatabaseError(error, attempt.action);
  if (classed.code !== 'INTERNAL' && classed.code !== 'ACCESS_DENIED') return undefined;
  const raised = (await listEventTriggers(client)).filter((trigger) => isRaisedBy(trigger, fieldOf(error, 'where')));
  if (raised.length === 0) return undefined;
  const said = error instanceof Error ? error.message : String(error);
  const frees = raised.map(
    ({ name, owner }) => `event trigger ${name} of ${owner} (free it with: ALTER EVENT TRIGGER ${name} DISABLE)`,
  );
  const list = frees.join('; ');
  return new StepError(
    attempt.code,
    `could not ${attempt.action}: ${list} raised ${codeOf(error) ?? 'an error'}: ${said}`,
    { detail: [list, classed.detail, said].filter(Boolean).join('; '), cause: error },
  );
}

/** The context has a line for each function that was running: `PL/pgSQL function guard() line 3 at RAISE`. */
function isRaisedBy({ signature, routine }: EventTrigger, where: string): boolean {
  return where.split('\n').some((line) => line.includes(` function ${signature} `) || line.includes(`"${routine}"`));
}

async function listEventTriggers(client: ClientBase): Promise<EventTrigger[]> {
  const { rows } = await client.query<EventTrigger>(
    `select quote_ident(evtname) as name, quote_ident(pg_get_userbyid(evtowner)) as owner, evtfoid::regprocedure::text as signature,
       proname::text as routine
     from pg_event_trigger join pg_proc p on p.oid = evtfoid where evtenabled <> 'D' order by evtname`,
  );
  return rows;
}
