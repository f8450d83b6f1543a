import { printCondition, type PrintedCondition } from '../expressions/conditions.ts';
import { printProjection } from '../expressions/paths.ts';
import { Placeholders } from '../expressions/placeholders.ts';
import type { Fields } from '../table.ts';

/** The fields of a read of one row, or of a check of it, beside its key. @throws InputRefusedError, ExpressionError */
export function readFields(input: Fields, prefix: string): Fields {
  const placeholders = placeholdersOf(input, prefix);
  const condition = conditionOf(input, placeholders, prefix);
  return {
    ...otherFields(input),
    ...projectionOf(input, placeholders, prefix),
    ...(condition && { ConditionExpression: condition.text }),
    ...placeholders.fields(),
  };
}

/** The `#names` and `:values` of an input. */
export function placeholdersOf(input: Fields, prefix: string): Placeholders {
  return new Placeholders(prefix, input['ExpressionAttributeNames'], input['ExpressionAttributeValues']);
}

/** The ProjectionExpression, as it was understood. */
export function projectionOf(input: Fields, placeholders: Placeholders, prefix: string) {
  const text = input['ProjectionExpression'];
  if (text === undefined) return {};
  return { ProjectionExpression: printProjection(`${prefix}ProjectionExpression`, text, placeholders) };
}

/** Fields that hold no expression. */
export function otherFields(input: Fields): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const name of Object.keys(input))
    if (!name.endsWith('Expression') && !name.startsWith('ExpressionAttribute')) others[name] = input[name];
  return others;
}

/** The ConditionExpression, as it was understood. */
export function conditionOf(input: Fields, placeholders: Placeholders, prefix: string): PrintedCondition | undefined {
  const text = input['ConditionExpression'];
  if (text === undefined) return undefined;
  return printCondition(`${prefix}ConditionExpression`, text, placeholders);
}
