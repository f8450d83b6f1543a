import { ApiError, type ApiClient, type Status } from '../cli/api-client.ts';
import { operationTypeAskedBy } from '../contracts/operation-table.ts';
import type { Patience } from './patience.ts';
import { CanaryEndError } from './report.ts';

/** A tenant to remove; its slug confirms that, which is its id where the product gives it that. */
export interface Removable {
  readonly tenantId: string;
  readonly slug: string;
}

/** What a look says of a tenant that is to go. */
export type RemovalStep =
  | { readonly is: 'gone' }
  | { readonly is: 'waiting' }
  /** Something else is under way: it is called off first. */
  | { readonly is: 'to cancel'; readonly operationId: string }
  /** Nothing is under way, or what was got stuck: a deletion takes over. */
  | { readonly is: 'to delete' }
  | { readonly is: 'stuck'; readonly operationId: string };

/** Somebody's deletion that waits for no longer is let be, in ms. */
const SHORT_GRACE_MS = 5_000;

/** Pure. @param tried deletions of this removal: one that got stuck is not superseded by another */
export function nextStep(status: Status, tried: ReadonlySet<string>, nowMs = Date.now()): RemovalStep {
  const { operation, outcome } = status;
  const { operationId, state, type } = operation;
  if (status.status === 'deleted') return status.cleanupPending ? { is: 'waiting' } : { is: 'gone' };
  if (state === 'stuck') return tried.has(operationId) ? { is: 'stuck', operationId } : { is: 'to delete' };
  if (outcome !== null) return { is: 'to delete' };
  const waitsMs = typeof status.deletesAt === 'string' ? Date.parse(status.deletesAt) - nowMs : 0;
  const isDeletion = type === operationTypeAskedBy('delete') && waitsMs <= SHORT_GRACE_MS;
  return isDeletion || state === 'rolling-back' ? { is: 'waiting' } : { is: 'to cancel', operationId };
}

/**
 * Brings a tenant to its end from whatever it is in: calls off what is open, deletes at once, takes over once what got stuck.
 * @returns the operation that removed it; undefined: it was gone, or nothing of it had to be removed
 * @throws CanaryEndError when it is not gone in time, or stuck
 */
export async function remove(
  api: ApiClient,
  { tenantId, slug }: Removable,
  { until }: Patience,
): Promise<string | undefined> {
  const tried = new Set<string>();
  const cancelled = new Set<string>();
  let last: Status | undefined;
  let deletion: string | undefined;
  await until(
    async () => {
      last = await statusOf(api, tenantId);
      if (last === undefined) return true;
      const step = nextStep(last, tried);
      if (step.is === 'gone') return true;
      if (step.is === 'stuck') throw notGone(last, 'its removal is stuck');
      if (step.is === 'to cancel' && !cancelled.has(step.operationId)) {
        await unlessMoved(() => api.cancel(tenantId));
        cancelled.add(step.operationId);
      }
      if (step.is === 'to delete') {
        const answer = await unlessMoved(() => api.delete(tenantId, slug, { grace: '0' }));
        // What takes over a stuck operation gets one chance.
        if (answer && 'operationId' in answer) {
          deletion = answer.operationId;
          tried.add(deletion);
        }
      }
      return undefined;
    },
    () => (last ? notGone(last, 'it is not removed in time') : new CanaryEndError('failed', 'nothing is known of it')),
  );
  return deletion;
}

/** Undefined: there is no such tenant, as one whose creation was withdrawn. */
async function statusOf(api: ApiClient, tenantId: string): Promise<Status | undefined> {
  try {
    return await api.status(tenantId);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'TENANT_NOT_FOUND') return undefined;
    throw error;
  }
}

/** It moved on between the look and the request: the next look says where to. */
const movedOn: readonly string[] = ['OPERATION_IN_PROGRESS', 'NOT_CANCELLABLE', 'TENANT_NOT_DELETABLE'];

async function unlessMoved<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ApiError && movedOn.includes(error.code)) return undefined;
    throw error;
  }
}

/** What is left of a tenant, and at which step it stands, by its status. */
export function notGone(status: Status, what: string): CanaryEndError {
  const { operation, error, leftovers = [], currentSteps, deletesAt } = status;
  const where = currentSteps.length > 0 ? `, at ${currentSteps.join(', ')}` : '';
  const waits = typeof deletesAt === 'string' ? `, which waits until ${deletesAt}` : '';
  const why = error === undefined ? '' : `: ${error.code}: ${error.message}`;
  return new CanaryEndError(
    'failed',
    `${what}: operation ${operation.type} is ${operation.state}${waits}${where}${why}`,
    {
      code: error?.code,
      left: leftovers.map((one) => `${one.type} ${one.name} (${one.stepId})`),
      operationId: operation.operationId,
    },
  );
}
