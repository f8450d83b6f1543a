import type { Stack, Stacks } from '../../aws/cloudformation.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { RemoveOutcome, Status } from '../framework/define-kind.ts';
import { liftsTableProtection, type FoundStack, type StackContext } from './spec.ts';
import { failureDetail, isOwnToken, stackToken, stateOf } from './state.ts';

/** Deletions of one generation that are asked for: a table that was made while the first one began is protected then. */
const MAX_DELETIONS = 3;

/**
 * Asks for the deletion of a stack; protection goes right before it, that of its tables only where the spec says so. One that failed at a
 * protected table is asked for again, after its protection was lifted.
 * @throws StepError STILL_PRESENT when this generation's deletion has failed for good
 */
export async function removeStack(context: StackContext, id: string): Promise<RemoveOutcome> {
  const { stacks } = context.aws;
  const found = await stacks.findStack(id);
  if (found && stateOf(found) === 'going') return { isGoing: true };
  const failed = found && (await failedDeletion(context, found));
  if (found && failed?.isFinal === true)
    throw new StepError('STILL_PRESENT', `stack "${found.name}" cannot be removed`, {
      detail: await failureDetail(context, { ...found, physicalId: found.id }),
    });
  if (found) await liftProtection(stacks, found);
  await stacks.deleteStack(id, deletionToken(context, id, failed?.count ?? 0));
  return { isGoing: true };
}

/** That of the stack, and of its tables where the stack says that it may go. */
export async function liftProtection(stacks: Stacks, stack: Stack): Promise<void> {
  const { id, terminationProtection } = stack;
  if (terminationProtection) await stacks.setTerminationProtection(id, false);
  if (!liftsTableProtection(stack)) return;
  for (const table of await stacks.listTables(id)) await stacks.liftTableProtection(table, id);
}

/** A deletion that failed for good stays so until it is asked for again: another generation of the step does. */
export async function removalStatus(context: StackContext, found: FoundStack): Promise<Status> {
  const state = stateOf(found);
  if (state === 'going') return { status: 'pending', detail: found.status };
  const failed = await failedDeletion(context, found);
  if (failed?.isFinal !== true) return { status: 'ready', detail: `stack ${found.name} is there: ${found.status}` };
  return { status: 'failed', detail: await failureDetail(context, found) };
}

interface FailedDeletion {
  /** How many this generation has asked for. */
  readonly count: number;
  readonly isFinal: boolean;
}

/** Undefined: none of this generation has failed. */
async function failedDeletion(context: StackContext, stack: Stack): Promise<FailedDeletion | undefined> {
  if (stack.status !== 'DELETE_FAILED') return undefined;
  const { failures, token } = await context.aws.stacks.readLastOperation(stack.id);
  if (!isOwnToken(context, 'remove', token)) return undefined;
  const tokens = Array.from({ length: MAX_DELETIONS }, (_, before) => deletionToken(context, stack.id, before));
  const count = tokens.indexOf(token ?? '') + 1;
  // Told by the failure: the table itself may have lost its protection since, to an attempt that was killed then.
  const passes = liftsTableProtection(stack) && failures.some((failure) => /protected against deletion/i.test(failure));
  return { count, isFinal: !passes || count === 0 || count >= MAX_DELETIONS };
}

/** AWS takes a second request with the token of one before it for the same. */
function deletionToken(context: StackContext, id: string, before: number): string {
  return stackToken(context, 'remove', before === 0 ? id : `${id} after ${before}`);
}
