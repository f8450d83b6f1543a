import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Brings everything of an active tenant back to what was applied last; what cannot be leaves it stuck, by name. */
export function TenantRepair(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
