import { z } from 'zod';
import { tenantStatus, isolation } from './vocabulary.ts';
import { workers } from './tenants.ts';

export const isolatedAnswer = z
  .object({
    tenantId: z.uuid(),
    status: tenantStatus,
    isolation,
    message: z.string().describe('A sentence for people'),
    statusUrl: z.string().meta({ format: 'uri-reference' }),
    workers,
  })
  .meta({ id: 'Isolated', description: 'What is known of the isolation' });

/** Its `dryRun` tells it from the other answers of a request. */
export const isolationPreviewAnswer = z
  .object({
    dryRun: z.literal(true),
    tenantId: z.uuid(),
    rule: z
      .object({
        loadBalancerArn: z.string(),
        host: z.string(),
        status: z.int().describe('What the rule answers'),
        priority: z.int().nullable().describe('Null: it is not made yet'),
      })
      .nullable()
      .describe('That would be made, or removed; null: there is none'),
  })
  .meta({ id: 'IsolationPreview', description: 'What a request would do; nothing was changed' });
