import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Changes an active tenant to another blueprint, wholly, or brings it back to the one that was applied, wholly. */
export function TenantUpdate(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
