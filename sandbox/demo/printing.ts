import { formatDuration } from '../parts/log.ts';
import type { Finished } from './provision.ts';
import { stepDurations } from './step-durations.ts';

/** On a terminal the live lines have said it. */
export function printDurations({ events }: Finished): void {
  if (process.stdout.isTTY) return;
  console.log('\n  how long each step took');
  for (const { stepId, durationMs } of stepDurations(events))
    console.log(`    ${stepId.padEnd(34)} ${formatDuration(durationMs)}`);
}

/** Answers the exit code. */
export function failed(what: string, { status }: Finished): number {
  console.error(`\n  ${what}: status ${status.status}, operation ${status.operation.state}`);
  if (status.error) console.error(`  ${status.error.code}: ${status.error.message} ${status.error.detail ?? ''}`);
  for (const left of status.leftovers ?? []) console.error(`  left: ${left.type} ${left.name}: ${left.reason}`);
  return 1;
}
