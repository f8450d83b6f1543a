import type { Handler } from '../pipeline.ts';
import { memberList, queryParams, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { stackAnswer } from './answers.ts';
import { changesOf, hasChanges } from './changes.ts';
import { invalid } from './input.ts';
import type { StackMachine } from './machine.ts';
import type { Stack } from './model.ts';
import { refuseDeletion, refuseName, refuseUpdate } from './stack-rules.ts';
import type { StackStore } from './stack-store.ts';
import { readWish } from './wish.ts';

export interface StackParts {
  readonly upstream: Upstream;
  readonly stacks: StackStore;
  readonly machine: StackMachine;
}

/** What makes, changes and deletes stacks. What a call waits for is read first, so that checks and changes are one. */
export function createStackHandlers(parts: StackParts): Record<string, Handler> {
  const { machine, stacks } = parts;
  return {
    CreateStack: (call) => create(parts, call),
    UpdateStack: (call) => update(parts, call),
    DeleteStack: (call) => Promise.resolve(remove(parts, call)),
    UpdateTerminationProtection: (call) => {
      const params = queryParams(call);
      const stack = named(stacks, call);
      if (stack.deletedAt) throw invalid(`Stack [${stack.name}] does not exist`);
      stack.terminationProtection = params.get('EnableTerminationProtection') === 'true';
      return Promise.resolve(stackAnswer(call, { StackId: stack.id }));
    },
    ContinueUpdateRollback: (call) => {
      const stack = named(stacks, call);
      if (stack.status !== 'UPDATE_ROLLBACK_FAILED')
        throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not continue update rollback.`);
      machine.continueRollback(stack, tokenOf(call));
      return Promise.resolve(stackAnswer(call));
    },
  };
}

/** The stack that a call names. @throws AwsError ValidationError */
export function named(stacks: StackStore, call: Call): Stack {
  return stacks.get(call.scope, queryParams(call).get('StackName') ?? '');
}

export function tokenOf(call: Call): string | undefined {
  return queryParams(call).get('ClientRequestToken') ?? undefined;
}

async function create({ machine, stacks, upstream }: StackParts, call: Call): Promise<Answer> {
  const params = queryParams(call);
  const name = params.get('StackName') ?? '';
  refuseName(name);
  const wish = await readWish(upstream, call);
  const token = tokenOf(call);
  const replayed = stacks.replayed(call.scope, name, token);
  if (replayed) return stackAnswer(call, { StackId: replayed.id });
  const minutes = params.get('TimeoutInMinutes');
  const stack = stacks.add({
    ...{ scope: call.scope, name, creationToken: token, wish, reason: undefined },
    ...{ updatedAt: undefined, deletedAt: undefined },
    onFailure: onFailureOf(params),
    timeoutMinutes: minutes === null ? undefined : Number(minutes),
    terminationProtection: params.get('EnableTerminationProtection') === 'true',
  });
  machine.create(stack);
  return stackAnswer(call, { StackId: stack.id });
}

function onFailureOf(params: URLSearchParams): Stack['onFailure'] {
  const [asked, disabled] = [params.get('OnFailure'), params.get('DisableRollback')];
  if (asked !== null && disabled !== null)
    throw invalid('You can specify either DisableRollback or OnFailure, but not both.');
  if (asked === null) return disabled === 'true' ? 'DO_NOTHING' : 'ROLLBACK';
  if (asked === 'DO_NOTHING' || asked === 'ROLLBACK' || asked === 'DELETE') return asked;
  throw invalid(`1 validation error detected: Value '${asked}' at 'onFailure' failed to satisfy constraint`);
}

async function update({ machine, stacks, upstream }: StackParts, call: Call): Promise<Answer> {
  const wish = await readWish(upstream, call, named(stacks, call).wish);
  const stack = named(stacks, call);
  refuseUpdate(stack);
  if (!hasChanges(stack, wish, changesOf(stack, wish))) throw invalid('No updates are to be performed.');
  machine.update(stack, wish, tokenOf(call));
  return stackAnswer(call, { StackId: stack.id });
}

/** Of what is not there, or is being deleted, nothing is to do: AWS answers that it is done. */
function remove({ machine, stacks }: StackParts, call: Call): Answer {
  const params = queryParams(call);
  const stack = stacks.find(call.scope, params.get('StackName') ?? '');
  if (!stack || stack.deletedAt || stack.status === 'DELETE_IN_PROGRESS') return stackAnswer(call);
  refuseDeletion(stack);
  const retained = memberList(params, 'RetainResources');
  if (retained.length > 0 && stack.status !== 'DELETE_FAILED')
    throw invalid(
      'Invalid operation on stack. Specify which resources to retain only when the stack is in the DELETE_FAILED state.',
    );
  machine.remove(stack, tokenOf(call), retained);
  return stackAnswer(call);
}
