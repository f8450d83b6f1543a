import { isDeepStrictEqual } from 'node:util';
import type { Change, Properties, Stack, StackResource, Wish } from './model.ts';
import { resourceType } from './resources/types.ts';
import { evaluationOf, KNOWN_AFTER_APPLY, outputsOf } from './stack-evaluation.ts';

/** What an update would do to each resource. What depends on one that is replaced is known after that only. */
export function changesOf(stack: Stack, wish: Wish): Change[] {
  const replaced = new Set<string>();
  const evaluation = evaluationOf(stack, wish, (id) => replaced.has(id) || !stack.resources.get(id)?.physicalId);
  const wanted = evaluation.resources();
  const changes = wanted.flatMap(([logicalId, resource]): Change[] => {
    const present = stack.resources.get(logicalId);
    const added = { action: 'Add', logicalId, physicalId: undefined, type: resource.Type } as const;
    if (!present) return [{ ...added, replacement: undefined, properties: [], changesTags: false }];
    const change = changeOf(stack, wish, present, { type: resource.Type, properties: evaluation.properties(resource) });
    if (change && change.replacement !== 'False') replaced.add(logicalId);
    return change ? [change] : [];
  });
  const kept = new Set(wanted.map(([logicalId]) => logicalId));
  return [...changes, ...[...stack.resources.values()].filter(({ logicalId }) => !kept.has(logicalId)).map(removal)];
}

/** Whether there is anything to update. */
export function hasChanges(stack: Stack, wish: Wish, changes: readonly Change[]): boolean {
  if (changes.length > 0 || !isDeepStrictEqual(stack.wish.tags, wish.tags)) return true;
  return !isDeepStrictEqual(outputsOf(evaluationOf(stack, wish), wish), stack.outputs);
}

/** How one resource changes; undefined when it does not. */
export function changeOf(
  stack: Stack,
  wish: Wish,
  present: StackResource,
  wanted: { readonly type: string; readonly properties: Properties },
): Change | undefined {
  const { logicalId, physicalId, type } = present;
  const about = { action: 'Modify', logicalId, physicalId, type: wanted.type } as const;
  if (type !== wanted.type) return { ...about, replacement: 'True', properties: [], changesTags: false };
  const handler = resourceType(type);
  const names = [...new Set([...Object.keys(present.properties), ...Object.keys(wanted.properties)])];
  const properties = names
    .filter((name) => !isDeepStrictEqual(present.properties[name], wanted.properties[name]))
    .map((name) => ({ name, recreates: recreates(handler?.replacing.includes(name), wanted.properties[name]) }));
  const changesTags = handler?.isTagged === true && !isDeepStrictEqual(stack.wish.tags, wish.tags);
  if (properties.length === 0 && !changesTags) return undefined;
  const has = (how: string) => properties.some((one) => one.recreates === how);
  const replacement = has('Always') ? 'True' : has('Conditionally') ? 'Conditional' : 'False';
  return { ...about, replacement, properties, changesTags };
}

function recreates(isReplacing: boolean | undefined, value: unknown): Change['properties'][number]['recreates'] {
  if (!isReplacing) return 'Never';
  return JSON.stringify(value ?? null).includes(KNOWN_AFTER_APPLY) ? 'Conditionally' : 'Always';
}

function removal({ logicalId, physicalId, type }: StackResource): Change {
  return { action: 'Remove', logicalId, physicalId, type, replacement: undefined, properties: [], changesTags: false };
}
