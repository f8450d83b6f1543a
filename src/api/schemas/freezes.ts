import { z } from 'zod';
import { time } from './fields.ts';

export const freezeAnswer = z
  .object({
    freezeId: z.uuid(),
    product: z.string().nullable().describe('Null: any'),
    cell: z.string().nullable().describe('Null: any'),
    reason: z.string(),
    by: z.string().describe('Whom to ask'),
    since: time,
    liftedAt: time.nullable().describe('Null: it is in force'),
  })
  .meta({ id: 'Freeze', description: 'No operation of what it names is accepted' });

/** Its `dryRun` tells it from the other answer of a request. */
export const freezePreviewAnswer = z
  .object({
    dryRun: z.literal(true),
    product: freezeAnswer.shape.product,
    cell: freezeAnswer.shape.cell,
    reason: z.string(),
    tenants: z.int().describe('Tenants of it that are not deleted'),
    openOperations: z.int().describe('Operations of theirs that are open: a freeze lets them go on'),
  })
  .meta({ id: 'FreezePreview', description: 'What a freeze, or its lift, would be of; nothing was changed' });

export const freezesAnswer = z
  .object({ freezes: z.array(freezeAnswer) })
  .meta({ id: 'FreezeList', description: 'The freezes in force' });
