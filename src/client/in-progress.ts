import { cancelRefusal } from '../contracts/applicability.ts';
import { graceOf } from '../db/grace.ts';
import type { OperationRow } from '../db/operations.ts';
import { RequestError } from './request-error.ts';

/**
 * What a request is told that another operation of its tenant stands in the way of.
 * @param noun what its product calls a tenant
 */
export function inProgress(open: OperationRow, noun: string): RequestError {
  return new RequestError(
    'OPERATION_IN_PROGRESS',
    `the ${noun}'s ${open.type} operation ${open.id} is open (${open.state}): ${whatOpensTheWay(open)}`,
    { details: { operationId: open.id, type: open.type, state: open.state } },
  );
}

function whatOpensTheWay(open: OperationRow): string {
  const isCancellable = cancelRefusal(open.type, open.state, graceOf(open)) === undefined;
  if (isCancellable && open.graceUntil)
    return `it begins at ${open.graceUntil.toISOString()}, and until then \`cancel\` ends it`;
  return isCancellable ? 'cancel it, or wait for its end' : 'wait for its end';
}
