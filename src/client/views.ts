import type { Failure } from '../contracts/errors.ts';
import type { EventType } from '../contracts/events.ts';
import type { Leftover } from '../contracts/messages.ts';
import type { OnFailure, OperationState, OperationType } from '../contracts/operation-state.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';

/** A tenant as callers see it; times are ISO 8601. */
export interface TenantView {
  readonly tenantId: string;
  readonly product: string;
  readonly tier: string | null;
  readonly slug: string;
  readonly displayName: string;
  readonly contactEmail: string;
  readonly cell: string;
  readonly status: TenantStatus;
  readonly cleanupPending: boolean;
  readonly tenantUrl: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly activatedAt: string | null;
  readonly deletedAt: string | null;
}

export interface OperationView {
  readonly operationId: string;
  readonly tenantId: string;
  readonly type: OperationType;
  readonly state: OperationState;
  readonly onFailure: OnFailure;
  readonly workflowId: string;
  readonly runId: string | null;
  readonly generation: number;
  readonly failure?: Failure | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
  readonly acceptedAt: string;
  readonly claimedAt: string | null;
  readonly closedAt: string | null;
  readonly updatedAt: string;
}

export interface StatusView {
  readonly tenantId: string;
  readonly status: TenantStatus;
  /** The newest operation. */
  readonly operation: { readonly operationId: string; readonly type: OperationType; readonly state: OperationState };
  /** The first of `currentSteps`; null when nothing is under way. */
  readonly currentStep: string | null;
  readonly currentSteps: readonly string[];
  /** Provisioning: steps that are ready. Deprovisioning: steps that are removed. */
  readonly stepsDone: readonly string[];
  readonly stepsTotal: number;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly error?: Failure | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
  readonly cleanupPending: boolean;
  readonly tenantUrl: string;
}

export interface EventView {
  /** Rises within a tenant: the cursor of pages and streams. */
  readonly id: number;
  readonly at: string;
  readonly type: EventType;
  readonly tenantId: string;
  readonly operationId: string | null;
  readonly stepId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Answer of a request that starts an operation. */
export interface AcceptedView {
  readonly tenantId: string;
  readonly operationId: string;
  readonly workflowId: string;
  readonly status: TenantStatus;
  readonly tenantUrl: string;
}
