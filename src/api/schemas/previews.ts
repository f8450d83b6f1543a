import { z } from 'zod';
import { settings } from './request-bodies.ts';
import { operationState, tenantStatus, operationType, leftover } from './vocabulary.ts';
import { email } from './fields.ts';

const previewedField = z.object({
  field: z.string(),
  from: z.unknown().optional().describe('Left out: it has none'),
  to: z.unknown().optional().describe('Left out: it is to have none'),
});

const expectedTime = z
  .object({ medianMs: z.number(), p90Ms: z.number() })
  .nullable()
  .describe('By the latest operations of the cell; null: nothing is recorded that would tell');

const roomLeft = z.object({ quota: z.int(), leftBefore: z.int(), leftAfter: z.int() });

const room = z
  .object({ loadBalancerArn: z.string(), rules: roomLeft, targetGroups: roomLeft })
  .nullable()
  .describe("What a new tenant leaves of its load balancer's quotas; null: the request takes nothing");

/** Optional: an API of an earlier release does not give it. */
export const finalDump = z
  .object({
    kept: z.boolean(),
    detail: z.string().describe('A sentence for people; where nothing is kept, why'),
    bucket: z.string().nullable(),
    retentionDays: z.number().nullable(),
    export: z.boolean().describe('It may be handed out'),
  })
  .meta({ id: 'FinalDump', description: "What is kept of a tenant's data when it is deleted" })
  .optional();

/** Its `dryRun` tells it from the other answers of a request. */
export const previewAnswer = z
  .object({
    dryRun: z.literal(true),
    tenantId: z.uuid().nullable(),
    operation: operationType.nullable().describe('What would be carried out; null: nothing would have to be'),
    steps: z.array(
      z.object({
        stepId: z.string(),
        kind: z.string(),
        becomes: z.enum(['make', 'change', 'restore', 'keep', 'drop']),
        fields: z.array(previewedField).describe('Empty: none, or they follow from what other steps will give'),
        // These are optional for clients: an API of an earlier release does not give them.
        calls: z.array(z.string()).optional().describe('Changing IAM actions that it may call, at most'),
        expected: expectedTime.optional(),
        dropsData: z
          .boolean()
          .optional()
          .describe(
            "The tenant's data is lost with it. False of what a change of tier or its undo drops: the data stays in another step",
          ),
        transient: z.boolean().optional().describe('It exists on the way only, and is removed past the commit'),
      }),
    ),
    expected: expectedTime.optional(),
    room: room.optional(),
    finalDump: finalDump.nullable().describe('Null: it deletes nothing'),
    graceSeconds: z
      .number()
      .nullable()
      .optional()
      .describe('Of a deletion: for how long it would wait before it removes anything. Null: it would remove nothing'),
    residues: z
      .array(z.object({ stepId: z.string(), type: z.string(), reason: z.string(), days: z.number().nullable() }))
      .optional()
      .describe('What would stay for a while of what is dropped'),
    settings,
    details: z
      .object({ displayName: z.string(), contactEmail: email })
      .optional()
      .describe('Where the request names one'),
    control: z
      .object({
        verb: z.enum(['retry', 'cancel', 'abandon']),
        operationId: z.uuid(),
        state: operationState.describe('As it is now'),
        effect: z.string().describe('A sentence for people'),
        tenantStatus: tenantStatus.describe('Of the tenant, when it has ended well'),
        leftovers: z.array(leftover).describe('What stays, as nobody is at work on it any more'),
      })
      .optional()
      .describe('Of a request to the open operation'),
  })
  .meta({ id: 'Preview', description: 'What a request would do; nothing was changed' });
