import { tenantWorkflowId } from './ids.ts';

/** What the ledger calls the notice of an isolated tenant; no blueprint names it. */
export const ISOLATION_STEP = 'tenantry:isolation';

/** Id of the workflow that carries out whether a tenant is isolated. */
export function isolationWorkflowId(tenant: { readonly product: string; readonly slug: string }): string {
  return `${tenantWorkflowId(tenant)}.isolation`;
}

export const ISOLATION_WORKFLOW = 'TenantIsolation';

/** Tells a run that something else is wanted by now. */
export const isolationSignal = 'isolation-changed';

/** What is known of a tenant's isolation; once it is lifted, nothing. */
export const isolationStates = [
  'requested', // wanted, and not in effect yet
  'on', // the notice answers
  'lifting', // not wanted any more, and the notice may still answer
  'failed', // the last attempt at either was refused; it is tried again
] as const;
export type IsolationState = (typeof isolationStates)[number];

export interface IsolationInput {
  readonly tenantId: string;
}

/** What one attempt came to. `again`: after so many ms, or once something else is wanted. */
export type IsolationTurn =
  | { readonly outcome: 'on' | 'off' }
  | { readonly outcome: 'again'; readonly afterMs: number; readonly code?: string | undefined };

export interface IsolationResult {
  readonly tenantId: string;
  /** Whether the notice answers. */
  readonly outcome: 'on' | 'off';
}

export interface IsolationActivities {
  /** Brings the rule to what is wanted now. */
  driveIsolation(input: IsolationInput & { readonly failures: number }): Promise<IsolationTurn>;
}

/** Of one attempt, in ms: it makes few calls. */
export const isolationLimits = { startToCloseMs: 15_000, latenessMs: 45_000 } as const;

/** After that somebody should know that what is wanted is not in effect, in ms. */
export const ISOLATION_OVERDUE_MS = 60_000;
