import type { Caller } from '../contracts/caller.ts';
import { CommitUnclearError } from '../db/database.ts';
import { appendEvent, type NewEvent } from '../db/events.ts';
import { forgetCancelRequest, recordCancelRequest, recordTakenCancel, type OperationRow } from '../db/operations.ts';
import type { Once } from './once.ts';
import type { OperatorVerb } from './orchestrator.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import type { AcceptedView } from './views.ts';

/**
 * Before the run is asked: when its answer is lost, the record is what shows that somebody asked, and who.
 * @returns of a cancel, as {@link recordCancelRequest}
 */
export async function recordRequest(
  { database }: ClientDeps,
  caller: Caller,
  verb: OperatorVerb,
  { operation, once }: { readonly operation: OperationRow; readonly once: Once<AcceptedView> },
): Promise<string | undefined> {
  const { id, runId, tenantId } = operation;
  try {
    return await database.transaction(async (tx) => {
      const { recordedAt } = await once.ask(
        tx,
        async () => {
          const at = verb === 'cancel' ? await recordCancelRequest(tx, id) : undefined;
          await appendEvent(tx, { ...eventOf(operation, caller), type: 'operation.requested', data: { verb } });
          return { operationId: id, runId, recordedAt: at };
        },
        { tenantId },
      );
      return recordedAt;
    });
  } catch (cause) {
    if (!(cause instanceof CommitUnclearError)) throw cause;
    const message = `${cause.reason}: the run of operation ${id} was not asked to ${verb}`;
    throw new RequestError('DATABASE_UNAVAILABLE', message, { cause });
  }
}

function eventOf({ id: operationId, tenantId, cell }: OperationRow, caller: Caller): Omit<NewEvent, 'type'> {
  return { operationId, tenantId, cell, caller };
}

/** For whoever reads the trail: nothing came of the request. */
export async function recordRefusal(
  { database, log }: ClientDeps,
  caller: Caller,
  operation: OperationRow,
  data: { readonly verb: OperatorVerb; readonly reason: string },
): Promise<void> {
  try {
    await appendEvent(database, { ...eventOf(operation, caller), type: 'operation.request-refused', data });
  } catch (error) {
    log.warn({ err: error, operationId: operation.id, ...data }, 'that a request was refused could not be recorded');
  }
}

/** A refused cancel is none. One that was or may have been taken stands, also when another request's refusal removes its own. */
export async function correctRecord(
  { database, log }: ClientDeps,
  { id }: OperationRow,
  stands: boolean,
  recordedAt: string | undefined,
): Promise<void> {
  try {
    if (stands) await recordTakenCancel(database, id);
    else if (recordedAt !== undefined) await forgetCancelRequest(database, id, recordedAt);
  } catch (error) {
    log.warn({ err: error, operationId: id, stands }, 'the record of a cancel could not be corrected');
  }
}
