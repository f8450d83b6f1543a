import type { ChangeSet, ChangeSetName, ResourceChange } from '../../aws/cloudformation-changes.ts';
import { StepError } from '../../contracts/step-error.ts';
import { holdsData } from './data-types.ts';
import { stackInput, type FoundStack, type StackContext } from './spec.ts';
import { stackToken } from './state.ts';

/**
 * Brings a stack to the spec, by a change set that is read before it is executed.
 * @throws StepError CHANGE_NOT_POSSIBLE when it would replace or remove what holds data, CONFLICT_RETRYABLE until it is computed
 */
export async function changeStack(context: StackContext, found: FoundStack): Promise<void> {
  const { stacks } = context.aws;
  const state = found.updatedAt?.toISOString() ?? '';
  // Of one state of the stack: AWS drops it once the stack is changed, whoever does it.
  const token = stackToken(context, 'change', `${found.id} ${state}`);
  const of = { stackId: found.id, name: `tenantry-${token}` };
  const set = await computed(context, found, of, token);
  if (set.status === 'FAILED') throw failed(of, set);
  if (set.execution !== 'AVAILABLE') return;
  const losing = set.changes.filter(losesData);
  if (losing.length > 0) throw refusal(found, losing);
  await stacks.executeChangeSet(of, token);
}

async function computed(
  context: StackContext,
  found: FoundStack,
  of: ChangeSetName,
  token: string,
): Promise<ChangeSet> {
  const { stacks } = context.aws;
  const known = await stacks.findChangeSet(of);
  if (!known) await stacks.createChangeSet(of, stackInput(context, markOf(found)), token);
  const set = known ?? (await stacks.findChangeSet(of));
  if (set && /^(CREATE_COMPLETE|FAILED)$/.test(set.status)) return set;
  throw new StepError('CONFLICT_RETRYABLE', `change set ${of.name} of stack "${found.name}" is not computed yet`);
}

/** Each operation that makes a stack has its own mark: one that changes it leaves that as it is. */
function markOf({ tags }: FoundStack): Record<string, string> {
  const own = Object.entries(tags).filter(([key]) => key.startsWith('tenantry:'));
  return Object.fromEntries(own);
}

/** Where nothing changes, the look before may have been older than what it changed. */
function failed(of: ChangeSetName, { reason = '' }: ChangeSet): StepError {
  const code = /didn't contain changes|No updates/.test(reason) ? 'CONFLICT_RETRYABLE' : 'INVALID_REQUEST';
  return new StepError(code, `change set ${of.name} of stack ${of.stackId} failed`, { detail: reason });
}

/** What AWS knows at the execution only counts as done. */
function losesData({ action, replacement, type }: ResourceChange): boolean {
  const takesAway = action === 'Remove' || (action !== 'Add' && replacement !== undefined && replacement !== 'False');
  return holdsData(type) && (takesAway || action === 'Dynamic');
}

function refusal({ name }: FoundStack, losing: readonly ResourceChange[]): StepError {
  const what = losing.map(({ action, logicalId, replacement = '', type }) => {
    const how = action === 'Remove' ? 'removed' : replacement === 'True' ? 'replaced' : 'perhaps replaced';
    return `${logicalId} (${type}) would be ${how}`;
  });
  return new StepError(
    'CHANGE_NOT_POSSIBLE',
    `the change of stack "${name}" would lose data: ${what.join(', ')}; nothing was changed`,
  );
}
