import { changeOf } from './changes.ts';
import { failedResources, setResource } from './events.ts';
import type { StackResource, Wish } from './model.ts';
import { resourceType } from './resources/types.ts';
import { changeResource, makeResource, removeResource, type Run, type Wanted } from './run.ts';
import { evaluationOf, outputsOf } from './stack-evaluation.ts';

/** Takes back what an update did to one resource; whether it could. */
export interface Undo {
  readonly logicalId: string;
  readonly run: (run: Run) => Promise<boolean>;
}

/**
 * Brings the resources to what is wished for, until one of them fails; answers why then.
 * @param undos gets what takes it back, the last one first
 * @param cleanups gets what is to go once the update is made
 */
export async function updateResources(
  run: Run,
  wish: Wish,
  undos: Undo[],
  cleanups: StackResource[],
): Promise<string | undefined> {
  const { stack } = run;
  const evaluation = evaluationOf(stack, wish);
  const ordered = evaluation.resources();
  const kept = new Set(ordered.map(([logicalId]) => logicalId));
  cleanups.push(...[...stack.resources.values()].filter(({ logicalId }) => !kept.has(logicalId)).reverse());
  for (const [logicalId, resource] of ordered) {
    const wanted = {
      ...{ logicalId, type: resource.Type, properties: evaluation.properties(resource) },
      deletionPolicy: resource.DeletionPolicy,
    };
    const present = stack.resources.get(logicalId);
    const change = present && changeOf(stack, wish, present, wanted);
    if (present && !change) {
      present.deletionPolicy = wanted.deletionPolicy;
      continue;
    }
    const isReplaced = present !== undefined && change?.replacement !== 'False';
    const isDone =
      present && !isReplaced
        ? await inPlace(run, wish, present, wanted, undos)
        : await anew(run, wish, wanted, present, undos);
    if (!isDone) return failedResources(present ? 'update' : 'create', [logicalId]);
    if (isReplaced && !resource.UpdateReplacePolicy.startsWith('Retain')) cleanups.unshift(present);
  }
  stack.outputs = outputsOf(evaluation, wish);
  return undefined;
}

/** Logical ids of what could not be taken back. What was is taken from the list. */
export async function undoAll(run: Run, undos: Undo[]): Promise<string[]> {
  for (let undo = undos[0]; undo; undo = undos[0]) {
    if (!(await undo.run(run))) return [undo.logicalId];
    undos.shift();
  }
  return [];
}

async function inPlace(run: Run, wish: Wish, present: StackResource, wanted: Wanted, undos: Undo[]): Promise<boolean> {
  const { properties: before } = present;
  const was = run.stack.wish;
  undos.unshift({
    logicalId: present.logicalId,
    run: (undoing) => changeResource(undoing, was, present, before),
  });
  return changeResource(run, wish, present, wanted.properties);
}

/** Makes one that is new, or that takes another one's place. */
async function anew(
  run: Run,
  wish: Wish,
  wanted: Wanted,
  present: StackResource | undefined,
  undos: Undo[],
): Promise<boolean> {
  const { stack, token } = run;
  const { logicalId } = wanted;
  const named = resourceType(wanted.type)?.named;
  const name = named === undefined ? undefined : wanted.properties[named];
  if (present && name !== undefined && present.type === wanted.type && present.physicalId === name) {
    const reason = `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${name} and update the stack again.`;
    setResource(stack, present, 'UPDATE_FAILED', { token, reason });
    undos.unshift({ logicalId, run: () => Promise.resolve(restored(run, present)) });
    return false;
  }
  undos.unshift({
    logicalId,
    run: async (undoing) => {
      const made = stack.resources.get(logicalId);
      if (made && made !== present && !(await removeResource(undoing, made))) return false;
      if (present) stack.resources.set(logicalId, present);
      return true;
    },
  });
  return makeResource(run, wish, wanted);
}

function restored({ stack, token }: Run, resource: StackResource): true {
  setResource(stack, resource, 'UPDATE_COMPLETE', { token });
  return true;
}
