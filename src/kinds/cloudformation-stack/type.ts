import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../../contracts/step-error.ts';
import { liftProtection } from './removal.ts';
import { contentHash, isStackNameOf, stackPattern } from '../../naming.ts';
import type { SweepAws, SweptType } from '../framework/resource-type.ts';

/** How long a deletion is watched, in ms: it may take many minutes, and goes on without. */
const WATCHED_MS = 5_000;
const LOOK_EVERY_MS = 250;

export const stackType: SweptType = {
  named: { pattern: stackPattern, isOf: (name, { tenantId }) => isStackNameOf(name, tenantId) },
  list: ({ aws }) => aws.inventory.stacks,
  holdsData: true,
  hasUniqueIds: true,
  isFoundByName: true,
  async takeAway({ aws, item }) {
    const { physicalId: id } = item;
    const found = await aws.stacks.findStack(id);
    if (!found) return 'it was gone already';
    await liftProtection(aws.stacks, found);
    // AWS takes a request with the token of one that failed for the same.
    const failed = found.status === 'DELETE_FAILED' ? await aws.stacks.readLastOperation(id) : undefined;
    await aws.stacks.deleteStack(id, contentHash(`sweep ${id} ${failed?.token ?? ''}`).slice(0, 32));
    return watchDeletion(aws, id);
  },
};

/** @throws StepError STILL_PRESENT when it failed */
async function watchDeletion({ stacks }: SweepAws, id: string): Promise<string> {
  const untilMs = performance.now() + WATCHED_MS;
  while (performance.now() < untilMs) {
    const found = await stacks.findStack(id);
    if (!found) return 'the stack was deleted';
    if (found.status === 'DELETE_FAILED') {
      const { failures } = await stacks.readLastOperation(id);
      throw new StepError('STILL_PRESENT', `stack "${found.name}" could not be deleted`, {
        detail: failures.join('; '),
      });
    }
    await sleep(LOOK_EVERY_MS);
  }
  return 'the deletion of the stack was asked for, and goes on';
}
