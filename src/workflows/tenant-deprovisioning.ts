import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Removes all that the ledger holds of a tenant. It neither holds nor rolls back; a failure makes it stuck until `retry`. */
export function TenantDeprovisioning(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
