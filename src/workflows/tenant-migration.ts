import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { operate } from './executor/operate.ts';

/** Brings an active tenant to another tier, wholly, by steps that exist on the way only; or leaves it in the one that it was in, wholly. */
export function TenantMigration(input: OperationInput): Promise<OperationResult> {
  return operate(input);
}
