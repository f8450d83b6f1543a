import { z } from 'zod';
import type { KindLimits } from '../../contracts/verbs.ts';
import { dynamodbTableName } from '../../formats.ts';
import type { StepContext } from '../framework/kind.ts';
import { textValue } from '../framework/values.ts';

/** `position`: of `account-stream`. `closedSeconds`: how long writes may have to wait (60). */
export const switchSpec = z.strictObject({
  table: dynamodbTableName,
  toTable: dynamodbTableName,
  position: textValue,
  closedSeconds: z.number().int().min(1).max(600).optional(),
});
/** `count` and `checksum`: of the rows that both tables had when the fence was closed. `attempt`: which closing that was. */
export const switchOutputs = z.strictObject({ count: z.number(), checksum: z.string(), attempt: z.string() });

export type SwitchSpec = z.output<typeof switchSpec>;
export type SwitchOutputs = z.output<typeof switchOutputs>;
export type SwitchContext = StepContext<SwitchSpec, SwitchOutputs>;

export const DEFAULT_CLOSED_SECONDS = 60;

const longVerb = { startToCloseMs: 6 * 60 * 60_000, heartbeatMs: 10_000 };
// What changed meanwhile may take long to be brought over; heartbeats show that the worker lives.
export const switchLimits: KindLimits = { ensure: longVerb, remove: longVerb };
