import { z } from 'zod';
import { dynamodbTableName } from '../../formats.ts';
import type { StepContext } from '../framework/kind.ts';

/** A day: while rows are held, their operation is open. */
export const LONGEST_HOLD_S = 86_400;

/** Of a name of an attribute of a key, in characters; of its value, in bytes (DynamoDB). */
const [LONGEST_NAME, LARGEST_VALUE] = [255, 2_048];

/**
 * `except`: what is not the step's, rows with a mark, which are the control plane's own. `holdSeconds`: how long rows stay that were moved to
 * another table, counted from the move.
 */
export const rowsSpec = z.strictObject({
  table: dynamodbTableName,
  partitionKey: z.strictObject({
    name: z.string().min(1).max(LONGEST_NAME),
    value: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= LARGEST_VALUE, `must be ${LARGEST_VALUE} bytes at most`),
  }),
  except: z.literal('mark').optional(),
  holdSeconds: z.int().min(1).max(LONGEST_HOLD_S).optional(),
});
/** `name`: of table and partition. */
export const rowsOutputs = z.strictObject({ name: z.string() });

export type RowsSpec = z.output<typeof rowsSpec>;
export type RowsOutputs = z.output<typeof rowsOutputs>;
export type RowsContext = StepContext<RowsSpec, RowsOutputs>;
