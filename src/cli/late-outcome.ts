import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ApiError, type Accepted, type ApiClient, type Operation, type Tenant } from './api-client.ts';
import { utc } from './attention.ts';
import { isOutage } from './outages.ts';

/** The request was not carried out, and will not be: that was looked for once it could not take effect any more. */
export class NotCarriedOutError extends Error {
  override readonly name = 'NotCarriedOutError';
}

/** What the API names when it does not know the outcome. */
interface Unclear {
  readonly tenantId: string;
  readonly operationId: string;
}

/** How a request shows that it was carried out. */
export interface Signs<T> {
  /** Undefined: nothing shows it yet. @throws NotCarriedOutError when it shows that it was not */
  readonly shown: (unclear: Unclear) => Promise<T | undefined>;
  /** Whether it was certainly not carried out when nothing shows it after the time until which it may take effect. */
  readonly absenceProves: boolean;
}

const PAUSE_MS = 1_000;
/** How long the API is asked beyond the time until which the request may take effect, in ms. */
const BEYOND_MS = 60_000;

/**
 * Sends a request; when the API answers OUTCOME_UNKNOWN, looks until it shows what became of it.
 * @throws NotCarriedOutError when it was not carried out; the API's error when that stays unknown
 */
export async function settling<T>(
  request: () => Promise<T>,
  { shown, absenceProves }: Signs<T>,
  onNote: (text: string) => void,
): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const unclear = unclearOf(error);
    if (!unclear) throw error;
    const { mayLandUntil, mayLandForMs } = unclear;
    const endMs = Date.now() + mayLandForMs;
    onNote(
      `whether the request was carried out is not known; it may take effect until ${mayLandUntil}: looking until then`,
    );
    for (;;) {
      const isAfter = Date.now() > endMs;
      const found = await lookFor(() => shown(unclear));
      if (found.is === 'shown') return found.value;
      if (found.is === 'absent' && isAfter) {
        if (!absenceProves) throw error;
        throw new NotCarriedOutError(
          `the request was not carried out: it could take effect until ${mayLandUntil}, and did not`,
          { cause: error },
        );
      }
      if (Date.now() > endMs + BEYOND_MS) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

const unclearDetails = z.object({ tenantId: z.string(), operationId: z.string(), mayLandUntil: z.iso.datetime() });

/** When the answer names an end: for how long from now, by the API's own clock (its `Date` header is in whole seconds). */
function unclearOf(
  error: unknown,
): (Unclear & { readonly mayLandUntil: string; readonly mayLandForMs: number }) | undefined {
  if (!(error instanceof ApiError) || error.code !== 'OUTCOME_UNKNOWN') return undefined;
  const { data } = unclearDetails.safeParse(error.details);
  if (!data) return undefined;
  const mayLandForMs = Date.parse(data.mayLandUntil) - (error.answeredAtMs ?? Date.now()) + 1_000;
  return { ...data, mayLandUntil: utc(data.mayLandUntil), mayLandForMs };
}

type Found<T> = { readonly is: 'shown'; readonly value: T } | { readonly is: 'absent' | 'not-answered' };

async function lookFor<T>(look: () => Promise<T | undefined>): Promise<Found<T>> {
  try {
    const value = await look();
    return value === undefined ? { is: 'absent' } : { is: 'shown', value };
  } catch (error) {
    if (isOutage(error)) return { is: 'not-answered' };
    throw error;
  }
}

/** The same signs, told in other words. */
export function mapped<T, U>({ absenceProves, shown }: Signs<T>, as: (found: T) => Promise<U>): Signs<U> {
  return {
    absenceProves,
    shown: async (unclear) => {
      const found = await shown(unclear);
      return found === undefined ? undefined : as(found);
    },
  };
}

/** Of a creation: its operation exists. */
export function creationSigns(api: ApiClient): Signs<Accepted> {
  return {
    absenceProves: true,
    shown: async ({ tenantId, operationId }) => {
      const operation = await unlessMissing(api.operation(tenantId, operationId));
      if (operation?.state === 'withdrawn')
        throw new NotCarriedOutError('the request was not carried out: Temporal did not take it, and it was withdrawn');
      return operation && accepted(api, operation);
    },
  };
}

/** Of a deletion: its operation is the newest one, or nothing is left of the tenant. */
export function deletionSigns(api: ApiClient): Signs<Accepted | Tenant> {
  return {
    absenceProves: true,
    shown: async ({ tenantId, operationId }) => {
      const { status, operation } = await api.status(tenantId);
      if (operation.operationId === operationId) return accepted(api, await api.operation(tenantId, operationId));
      return status === 'deleted' ? api.get(tenantId) : undefined;
    },
  };
}

/** Of a change: its operation is the newest one. One that needs no operation shows nowhere, so absence proves nothing. */
export function changeSigns(api: ApiClient): Signs<Accepted | Tenant> {
  return {
    absenceProves: false,
    shown: async ({ tenantId, operationId }) => {
      const { operation } = await api.status(tenantId);
      if (operation.operationId !== operationId) return undefined;
      return accepted(api, await api.operation(tenantId, operationId));
    },
  };
}

/**
 * Of a `retry` or `cancel`: the operation is in another state. A run that has taken the request may still be at work before its
 * state changes, so the old state proves nothing.
 */
export function controlSigns(api: ApiClient, before: readonly string[]): Signs<Accepted> {
  return {
    absenceProves: false,
    shown: async ({ tenantId, operationId }) => {
      const operation = await api.operation(tenantId, operationId);
      return before.includes(operation.state) ? undefined : accepted(api, operation);
    },
  };
}

async function accepted(api: ApiClient, operation: Operation): Promise<Accepted> {
  const { tenantId, operationId, workflowId, deletesAt } = operation;
  const { status, tenantUrl } = await api.get(tenantId);
  const statusUrl = `/api/v1/tenants/${tenantId}/status`;
  return { tenantId, operationId, workflowId, status, statusUrl, deletesAt, tenantUrl };
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && ['TENANT_NOT_FOUND', 'OPERATION_NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}
