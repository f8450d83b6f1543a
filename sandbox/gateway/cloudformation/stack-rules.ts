import { invalid } from './input.ts';
import type { Stack, StackStatus } from './model.ts';

const stable: readonly StackStatus[] = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'];

/** @throws AwsError ValidationError where AWS updates nothing: in progress, and after what only a deletion ends */
export function refuseUpdate({ id, status }: Stack): void {
  if (!stable.includes(status)) throw invalid(`Stack:${id} is in ${status} state and can not be updated.`);
}

/** @throws AwsError ValidationError */
export function refuseDeletion({ id, name, status, terminationProtection }: Stack): void {
  if (terminationProtection) throw invalid(`Stack [${name}] cannot be deleted while TerminationProtection is enabled`);
  if (/^UPDATE_.*IN_PROGRESS$/.test(status)) throw invalid(`Stack [${id}] cannot be deleted while in status ${status}`);
}

/** @throws AwsError ValidationError */
export function refuseName(name: string): void {
  if (/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name)) return;
  throw invalid(
    `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
  );
}
