import type { OpenOperationState } from './operation-state.ts';
import type { OperationType } from './operation-table.ts';

/** What is in progress of a tenant. */
export interface OpenOperation {
  readonly operationId: string;
  readonly type: OperationType;
  readonly state: OpenOperationState;
  /** When it was accepted, ISO 8601. */
  readonly since: string;
}
