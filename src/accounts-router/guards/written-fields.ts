import { bothConditions } from '../expressions/conditions.ts';
import type { Placeholders } from '../expressions/placeholders.ts';
import { readUpdate, type UpdateAction } from '../expressions/updates.ts';
import type { Fields } from '../table.ts';
import { assertOtherThanMark, unmarkedCondition } from './control-mark.ts';
import { conditionOf, otherFields, placeholdersOf } from './read-fields.ts';

/** What else an action of an update has to keep to. */
export type AssertAction = (field: string, action: UpdateAction, placeholders: Placeholders) => void;

/**
 * The fields of a write beside its key or item: no row of the control plane is hit, and its mark is not written.
 * @throws InputRefusedError, ExpressionError, and what `assertAction` throws
 */
export function writtenFields(input: Fields, prefix: string, assertAction?: AssertAction): Fields {
  const placeholders = placeholdersOf(input, prefix);
  // Ours comes after the caller's were read, which name nothing of it.
  const given = conditionOf(input, placeholders, prefix);
  const update = updateOf(input, placeholders, prefix, assertAction);
  const own = unmarkedCondition(placeholders);
  return {
    ...otherFields(input),
    ConditionExpression: given ? bothConditions(own, given) : own,
    ...update,
    ...placeholders.fields(),
  };
}

function updateOf(input: Fields, placeholders: Placeholders, prefix: string, assertAction?: AssertAction) {
  const text = input['UpdateExpression'];
  if (text === undefined) return {};
  const field = `${prefix}UpdateExpression`;
  const { actions, text: printed } = readUpdate(field, text, placeholders);
  for (const action of actions) {
    assertOtherThanMark(field, placeholders.attribute(action.target.root, field));
    assertAction?.(field, action, placeholders);
  }
  return { UpdateExpression: printed };
}
