import { z } from 'zod';
import type { Blueprint } from '../contracts/blueprint.ts';

const text = z.string().min(1);
const profile = z.strictObject({ usualMs: z.number().min(0), deadlineMs: z.number().positive() });

/** One step of a blueprint. */
export const stepSchema = z.strictObject({
  id: z.string().min(1).max(100),
  kind: text,
  needs: z.array(z.string()),
  removeAfter: z.array(z.string()).optional(),
  // Its shape is the kind's: `blueprintProblems` asks that.
  spec: z.record(z.string(), z.unknown()),
  ready: profile.optional(),
  gone: profile.optional(),
  failsAs: z.strictObject({ type: text, message: text }).optional(),
  rereads: z.boolean().optional(),
  undoFirst: z.boolean().optional(),
  transient: z.boolean().optional(),
  last: z.boolean().optional(),
});

/**
 * The shape of a blueprint, from whatever a jsonb column or a request held; specs and graph are checked by `blueprintProblems`.
 */
export const blueprintSchema: z.ZodType<Blueprint> = z.strictObject({
  version: z.literal(1),
  product: text,
  tier: z.string().nullable(),
  cell: text,
  steps: z.array(stepSchema),
});
