import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Gives the tenant's services new credentials and revokes the ones that they had; or leaves it with those, wholly. */
export function TenantRotation(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
