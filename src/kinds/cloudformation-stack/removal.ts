import type { Stack, Stacks } from '../../aws/cloudformation.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { RemoveOutcome, Status } from '../framework/define-kind.ts';
import { liftsTableProtection, type FoundStack, type StackContext } from './spec.ts';
import { failureDetail, isOwnToken, stackToken, stateOf } from './state.ts';

/**
 * Asks for the deletion of a stack; protection goes right before it, that of its tables only where the spec says so.
 * @throws StepError STILL_PRESENT when this generation's deletion has failed
 */
export async function removeStack(context: StackContext, id: string): Promise<RemoveOutcome> {
  const { stacks } = context.aws;
  const found = await stacks.findStack(id);
  if (found && stateOf(found) === 'going') return { isGoing: true };
  if (found) {
    const seen = await removalStatus(context, { ...found, physicalId: found.id });
    if (seen.status === 'failed')
      throw new StepError('STILL_PRESENT', `stack "${found.name}" cannot be removed`, { detail: seen.detail });
    await liftProtection(stacks, found);
  }
  await stacks.deleteStack(id, stackToken(context, 'remove', id));
  return { isGoing: true };
}

/** That of the stack, and of its tables where the stack says that it may go. */
export async function liftProtection(stacks: Stacks, stack: Stack): Promise<void> {
  const { id, terminationProtection } = stack;
  if (terminationProtection) await stacks.setTerminationProtection(id, false);
  if (!liftsTableProtection(stack)) return;
  for (const table of await stacks.listTables(id)) await stacks.liftTableProtection(table, id);
}

/** A deletion that failed stays so until it is asked for again: another generation of the step does. */
export async function removalStatus(context: StackContext, found: FoundStack): Promise<Status> {
  const state = stateOf(found);
  if (state === 'going') return { status: 'pending', detail: found.status };
  const isFailed = found.status === 'DELETE_FAILED' && (await isOwnDeletion(context, found));
  if (!isFailed) return { status: 'ready', detail: `stack ${found.name} is there: ${found.status}` };
  return { status: 'failed', detail: await failureDetail(context, found) };
}

async function isOwnDeletion(context: StackContext, { id }: FoundStack): Promise<boolean> {
  const { token } = await context.aws.stacks.readLastOperation(id);
  return isOwnToken(context, 'remove', token);
}
