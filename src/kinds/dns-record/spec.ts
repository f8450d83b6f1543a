import { z } from 'zod';
import type { StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';

export const recordSpec = z.strictObject({ zoneId: text, host: text, loadBalancerArn: text });
/** `target`: the name that the alias points to. */
export const recordOutputs = z.strictObject({ host: z.string(), changeId: z.string(), target: z.string() });

export type RecordSpec = z.output<typeof recordSpec>;
export type RecordOutputs = z.output<typeof recordOutputs>;
export type RecordContext = StepContext<RecordSpec, RecordOutputs>;
