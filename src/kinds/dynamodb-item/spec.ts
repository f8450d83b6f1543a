import { z } from 'zod';
import type { ItemAddress, KeyPart } from '../../aws/dynamodb-items.ts';
import { MARK_ATTRIBUTE, type Item } from '../../aws/dynamodb-values.ts';
import { StepError } from '../../contracts/step-error.ts';
import { dynamodbTableName } from '../../formats.ts';
import { itemName } from '../../naming.ts';
import { fieldsOf } from '../framework/within.ts';

/** Of a name of an attribute, in characters; those of keys may have 255 at most (DynamoDB). */
const attributeName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => name !== MARK_ATTRIBUTE, `"${MARK_ATTRIBUTE}" is the mark of an item`);

const keyPart = (mostBytes: number) =>
  z.strictObject({
    name: attributeName,
    value: z.union([
      z
        .string()
        .min(1)
        .refine((text) => Buffer.byteLength(text) <= mostBytes, `must be ${mostBytes} bytes at most`),
      z.number(),
    ]),
  });

/** Whatever JSON holds, with references to other steps' outputs at any depth. */
const value = z.json();
const attributes = z.record(
  attributeName,
  z.unknown().refine((given) => value.safeParse(given).success, 'must be a value of JSON'),
);

/**
 * `attributes` are the step's: they are put back where somebody changes them. `initial` ones are written when the item is made, and are
 * others' from then on. What others add to the item is left alone (`keep`, the default), or taken off again (`remove`); `absent`: names of what
 * is taken off again in either case.
 */
export const itemSpec = z
  .strictObject({
    table: dynamodbTableName,
    partitionKey: keyPart(2_048),
    sortKey: keyPart(1_024).optional(),
    attributes,
    initial: attributes.optional(),
    otherAttributes: z.enum(['keep', 'remove']).optional(),
    absent: z.array(attributeName).readonly().optional(),
  })
  .superRefine((spec, context) => {
    for (const message of problemsOf(spec)) context.addIssue({ code: 'custom', message });
  });
/** `table`: its ARN. `attributes`: names of the step's own. */
export const itemOutputs = z.strictObject({ name: z.string(), table: z.string(), attributes: z.array(z.string()) });

export type ItemSpec = z.output<typeof itemSpec>;
export type ItemOutputs = z.output<typeof itemOutputs>;

/** Where the item of a spec is. */
export function addressOf({
  partitionKey,
  sortKey,
  table,
}: Pick<ItemSpec, 'table' | 'partitionKey' | 'sortKey'>): ItemAddress {
  return { table, partitionKey, ...(sortKey && { sortKey }) };
}

export function nameOf({ partitionKey, sortKey, table }: Pick<ItemSpec, 'table' | 'partitionKey' | 'sortKey'>): string {
  return itemName(table, partitionKey.value, sortKey?.value);
}

/** Attributes of a resolved spec. @throws StepError when one of them is no value of JSON */
export function itemOf(given: unknown): Item {
  const read = z.record(z.string(), value).safeParse(fieldsOf(given));
  if (read.success) return read.data;
  throw new StepError('BLUEPRINT_INVALID', 'an attribute of the item holds what JSON has no equal for');
}

/** The value of a key's part in a spec of which nothing is known. */
export function keyValueIn(part: unknown): KeyPart['value'] | undefined {
  const { value: given } = fieldsOf(part);
  return typeof given === 'string' || typeof given === 'number' ? given : undefined;
}

function problemsOf({ absent = [], attributes: own, initial = {}, partitionKey, sortKey }: ItemSpec): string[] {
  const keys = [partitionKey.name, ...(sortKey ? [sortKey.name] : [])];
  const isTwice = (name: string) => keys.includes(name) || (Object.hasOwn(own, name) && Object.hasOwn(initial, name));
  return [
    ...(partitionKey.name === sortKey?.name ? ['partitionKey and sortKey have one name'] : []),
    ...[...new Set([...Object.keys(own), ...Object.keys(initial)])]
      .filter(isTwice)
      .map((name) => `attribute ${name} is given twice, or is a part of the key`),
    ...absent
      .filter((name) => keys.includes(name) || Object.hasOwn(own, name) || Object.hasOwn(initial, name))
      .map((name) => `attribute ${name} is to be absent, and is given or a part of the key`),
  ];
}
