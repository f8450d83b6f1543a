import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Brings a suspended tenant's services back, then takes its notice away; or leaves it suspended, wholly. */
export function TenantResumption(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
