import { randomUUID } from 'node:crypto';
import { AwsError } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { queryParams, type Answer, type Call } from '../request.ts';
import { changeSetView, changeView, stackAnswer, tagList } from './answers.ts';
import { changesOf, hasChanges } from './changes.ts';
import { invalid } from './input.ts';
import type { ChangeSet, Stack } from './model.ts';
import { named, tokenOf, type StackParts } from './stack-handlers.ts';
import { refuseName, refuseUpdate } from './stack-rules.ts';
import { readWish } from './wish.ts';

/** Change sets of stacks that there are. */
export function createChangeSetHandlers(parts: StackParts): Record<string, Handler> {
  const { stacks } = parts;
  return {
    CreateChangeSet: (call) => create(parts, call),
    DescribeChangeSet: (call) => {
      const { set, stack } = found(parts, call);
      return Promise.resolve(
        stackAnswer(call, {
          ...changeSetView(stack, set),
          Tags: tagList(set.wish.tags),
          Changes: set.changes.map(changeView),
        }),
      );
    },
    ListChangeSets: (call) => {
      const stack = named(stacks, call);
      return Promise.resolve(
        stackAnswer(call, { Summaries: [...stack.changeSets.values()].map((set) => changeSetView(stack, set)) }),
      );
    },
    DeleteChangeSet: (call) => {
      const known = find(parts, call);
      if (known?.set.execution === 'EXECUTE_IN_PROGRESS') throw invalidStatus(known.set, 'deleted');
      known?.stack.changeSets.delete(known.set.name);
      return Promise.resolve(stackAnswer(call));
    },
    ExecuteChangeSet: (call) => Promise.resolve(execute(parts, call)),
  };
}

/** With its token the same request twice makes one. */
async function create({ machine: _machine, ...parts }: StackParts, call: Call): Promise<Answer> {
  const { stacks, upstream } = parts;
  const params = queryParams(call);
  const type = params.get('ChangeSetType') ?? 'UPDATE';
  if (type !== 'UPDATE') throw invalid(`the sandbox makes no change sets of type ${type}`);
  const name = params.get('ChangeSetName') ?? '';
  refuseName(name);
  const wish = await readWish(upstream, call, named(stacks, call).wish);
  const stack = named(stacks, call);
  const token = params.get('ClientToken') ?? undefined;
  const known = stack.changeSets.get(name);
  if (known && token !== undefined && known.token === token)
    return stackAnswer(call, { Id: known.id, StackId: stack.id });
  if (known)
    throw new AwsError(
      'AlreadyExistsException',
      `ChangeSet ${name} cannot be created due to a mismatch with existing attribute ClientToken`,
    );
  refuseUpdate(stack);
  const { accountId, region } = stack.scope;
  const set: ChangeSet = {
    ...{ name, token, wish, createdAt: new Date(), description: params.get('Description') ?? undefined },
    ...{ status: 'CREATE_IN_PROGRESS', execution: 'UNAVAILABLE', reason: undefined, changes: [] },
    id: `arn:aws:cloudformation:${region}:${accountId}:changeSet/${name}/${randomUUID()}`,
  };
  stack.changeSets.set(name, set);
  compute(stack, set);
  return stackAnswer(call, { Id: set.id, StackId: stack.id });
}

/** AWS takes a while over it; a look at one that was made tells all the same. */
function compute(stack: Stack, set: ChangeSet): void {
  try {
    const changes = changesOf(stack, set.wish);
    if (hasChanges(stack, set.wish, changes))
      Object.assign(set, { changes, status: 'CREATE_COMPLETE', execution: 'AVAILABLE' });
    else fail(set, noChanges);
  } catch (error) {
    fail(set, error instanceof Error ? error.message : String(error));
  }
}

const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

function fail(set: ChangeSet, reason: string): void {
  set.status = 'FAILED';
  set.reason = reason;
}

function execute(parts: StackParts, call: Call): Answer {
  const { set, stack } = found(parts, call);
  if (set.execution !== 'AVAILABLE') throw invalidStatus(set, 'executed');
  refuseUpdate(stack);
  set.execution = 'EXECUTE_IN_PROGRESS';
  // Those of what the stack was are of no use any more.
  for (const other of stack.changeSets.values()) if (other !== set) stack.changeSets.delete(other.name);
  parts.machine.update(stack, set.wish, tokenOf(call), (isDone) => {
    set.execution = isDone ? 'EXECUTE_COMPLETE' : 'EXECUTE_FAILED';
  });
  return stackAnswer(call);
}

function invalidStatus({ id, execution, status }: ChangeSet, what: string): AwsError {
  return new AwsError(
    'InvalidChangeSetStatus',
    `ChangeSet [${id}] cannot be ${what} in its current status of [${status}, ${execution}]`,
  );
}

function found(parts: StackParts, call: Call): { set: ChangeSet; stack: Stack } {
  const known = find(parts, call);
  if (known) return known;
  throw new AwsError(
    'ChangeSetNotFound',
    `ChangeSet [${queryParams(call).get('ChangeSetName') ?? ''}] does not exist`,
    404,
  );
}

/** By its id, or by its name and its stack. */
function find({ stacks }: StackParts, call: Call): { set: ChangeSet; stack: Stack } | undefined {
  const params = queryParams(call);
  const wanted = params.get('ChangeSetName') ?? '';
  const among = params.has('StackName') ? [named(stacks, call)] : stacks.of(call.scope);
  for (const stack of among)
    for (const set of stack.changeSets.values()) if (set.id === wanted || set.name === wanted) return { set, stack };
  return undefined;
}
