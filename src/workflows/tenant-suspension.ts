import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Shows a notice at the tenant's host, then takes its services to no tasks; or brings it back as it was, wholly. */
export function TenantSuspension(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
