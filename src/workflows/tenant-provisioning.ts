import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Makes a tenant, wholly, or removes what it made, wholly. */
export function TenantProvisioning(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
