import { differenceClasses, driftRemedies } from '../../contracts/drift.ts';
import { z } from 'zod';
import { healthStatuses } from '../../contracts/health.ts';
import { closedOperationStates, openOperationStates } from '../../contracts/operation-state.ts';
import { tenantModes } from '../../contracts/settings.ts';
import { unsettledKinds } from '../../contracts/unsettled.ts';
import { settings } from './request-bodies.ts';
import { time, tenantUrl, email } from './fields.ts';
import {
  operationState,
  tenantStatus,
  operationType,
  failure,
  caller,
  leftover,
  attention,
  isolation,
} from './vocabulary.ts';
import { finalDump } from './previews.ts';

/** Optional: an API of an earlier release does not give it. */
export const workers = z
  .object({ state: z.enum(['polling', 'none', 'unknown']), detail: z.string() })
  .meta({ id: 'Workers', description: 'Whether a worker polls, as seen lately: without one, operations wait' })
  .optional();

/** Optional: an API of an earlier release does not give it. */
const health = z
  .object({
    status: z.enum(healthStatuses),
    since: time,
    reason: z.string().nullable(),
    // These are optional for clients: an API of an earlier release does not give them.
    reasonAt: time.nullable().optional().describe('When the reason was so; null: there is none'),
    lookedAt: time,
    lastLook: z
      .object({ status: z.enum(healthStatuses), inARow: z.int(), needed: z.int() })
      .optional()
      .describe('What the last look said by itself: so many in a row make another status'),
    outdatedSince: time
      .nullable()
      .optional()
      .describe('Until when an operation was at work on the tenant after the last look; null: none was'),
  })
  .meta({ id: 'TenantHealth', description: 'What looks from outside say of it; no reason: healthy' })
  .nullable()
  .describe('Null: it is not in service, or was not looked at yet')
  .optional();

export const tenantAnswer = z
  .object({
    tenantId: z.uuid(),
    product: z.string(),
    tier: z.string().nullable(),
    slug: z.string(),
    displayName: z.string(),
    contactEmail: email,
    cell: z.string(),
    status: tenantStatus,
    cleanupPending: z.boolean(),
    tenantUrl,
    // Optional for clients: an API of an earlier release does not give them.
    cameFromTier: z
      .string()
      .nullable()
      .optional()
      .describe('Tier that it was moved from; null: it was made in the one that it is in'),
    settings: settings.optional().describe('What is desired; while an operation is open, it may not be so yet'),
    settingsVersion: z.int().optional(),
    credentials: z
      .int()
      .optional()
      .describe('Which of its logins its services use: each rotation counts one up from 1'),
    health,
    isolation,
    createdAt: time,
    updatedAt: time,
    activatedAt: time.nullable(),
    deletedAt: time.nullable(),
  })
  .meta({ id: 'Tenant', description: 'The tenant' });

/** Optional: an API of an earlier release does not give it. */
export const drift = z
  .object({
    state: z
      .enum(['none', 'drift', 'unknown'])
      .describe('`unknown`: an operation was accepted since the look, or it could not see all'),
    findings: z.int(),
    since: time.nullable().describe('When its findings began; null without any'),
    lookedAt: time,
  })
  .meta({ id: 'Drift', description: "What the last look at the tenant's steps said of them, beside what was applied" })
  .nullable()
  .describe('Null: nobody has looked yet')
  .optional();

export const tenantDriftAnswer = z
  .object({
    tenantId: z.uuid(),
    drift,
    findings: z.array(
      z.object({
        stepId: z.string(),
        is: z.enum(differenceClasses),
        field: z.string().describe('Of a missing thing: its type and name'),
        wanted: z.unknown(),
        found: z.unknown(),
        remedy: z
          .enum(driftRemedies)
          .describe(
            'What brings it back: a repair, the resumption of a suspended tenant, an update with `refresh`, or a person',
          ),
        source: z.enum(['look', 'sweep']),
        firstSeenAt: time,
        lastSeenAt: time,
      }),
    ),
    unseen: z
      .array(z.object({ stepId: z.string(), code: z.string(), message: z.string() }))
      .describe('Steps that could not be looked at: nothing is said of them'),
  })
  .meta({ id: 'TenantDrift', description: 'What is not as it was applied' });

export const outcome = z
  .object({
    operationId: z.uuid(),
    type: operationType,
    state: z.enum(closedOperationStates),
    message: z.string(),
  })
  .meta({ id: 'Outcome', description: 'How the newest operation ended' })
  .nullable()
  .describe('Null while the newest operation is open');

/** Optional: an API of an earlier release does not give it. */
export const deletesAt = time
  .nullable()
  .optional()
  .describe('Of a deletion that waits for the end of its grace period: when it begins to remove');

/** Optional: an API of an earlier release does not give it. */
export const unsettled = z
  .enum(unsettledKinds)
  .nullable()
  .optional()
  .describe(
    'What is amiss while `cleanupPending`, the worst of it: `missing`: data of the tenant is gone; `changed`: something is not as it was applied; `left`: something is there that is not to be; `unknown`: nothing has listed it since',
  );

export const openOperation = z
  .object({
    operationId: z.uuid(),
    type: operationType,
    state: z.enum(openOperationStates),
    // Optional for clients: an API of an earlier release does not give it.
    since: time.optional().describe('When it was accepted'),
  })
  .meta({ id: 'OpenOperation', description: 'What is in progress' })
  .nullable()
  .describe('Null: nothing is in progress');

/** Optional: an API of an earlier release does not give it. */
const openOperationOfOne = openOperation.optional();

export const tenantWithOutcomeAnswer = tenantAnswer
  .extend({ outcome, unsettled, deletesAt, openOperation: openOperationOfOne, drift, workers })
  .meta({ id: 'TenantWithOutcome', description: 'The tenant' });

/** Its operation tells it from the other answers of a request. */
export const finishedAnswer = tenantWithOutcomeAnswer
  .extend({ operationId: z.uuid(), outcome: outcome.unwrap() })
  .meta({
    id: 'Finished',
    description: 'The tenant: the operation that the request started has ended, as `outcome` says',
  });

export const acceptedAnswer = z
  .object({
    tenantId: z.uuid(),
    operationId: z.uuid(),
    openOperation: openOperationOfOne.describe(
      'That operation, as it was when the request was accepted. Null: the request closed it',
    ),
    workflowId: z.string(),
    status: tenantStatus.describe(
      'Status of the tenant when the request was accepted, whatever its run has done since; of a deletion always `deleting`, though the tenant has that status only once a worker begins it',
    ),
    message: z.string().optional().describe('What was accepted, a sentence for people'),
    deletesAt,
    finalDump: finalDump.describe('Of a deletion'),
    statusUrl: z.string().meta({ format: 'uri-reference' }),
    tenantUrl,
    settingsVersion: z.int().optional().describe('Of a change: of the settings that are desired from now on'),
    workers,
  })
  .meta({ id: 'Accepted', description: 'Accepted: it is carried out from now on' });

/** Of a request that no operation has to carry out. Optional: an API of an earlier release does not give it. */
const changed = z
  .array(z.string())
  .optional()
  .describe('Fields that were changed at once, such as `contactEmail`. Empty: it was so already');

export const changedTenantAnswer = tenantAnswer
  .extend({ changed })
  .meta({ id: 'ChangedTenant', description: 'The tenant, as no operation has to carry the request out' });

export const statusAnswer = z
  .object({
    tenantId: z.uuid(),
    status: tenantStatus,
    health,
    isolation,
    operation: z.object({ operationId: z.uuid(), type: operationType, state: operationState, caller }),
    outcome,
    currentStep: z.string().nullable(),
    currentSteps: z.array(z.string()),
    stepsDone: z.array(z.string()),
    stepsTotal: z
      .int()
      .describe(
        'Of the newest operation; what a change takes away is not counted. Of a deletion: steps that are not removed, and removed ones that it removes again, as others may have added to what they held',
      ),
    retrying: z.array(z.object({ stepId: z.string(), failure })).optional(),
    awaited: z
      .array(z.object({ stepId: z.string(), since: time, detail: z.string().nullable() }))
      .optional()
      .describe('Steps that are waited for to be ready: since when, and what was seen then'),
    deletesAt,
    startedAt: time,
    updatedAt: time,
    error: failure.optional(),
    leftovers: z.array(leftover).optional(),
    attention: attention.optional(),
    cleanupPending: z.boolean(),
    unsettled,
    tenantUrl,
    drift,
    workers,
  })
  .meta({ id: 'Status', description: 'How far it is' });

const tenantChoice = z.object({
  version: z.int(),
  settings,
  mode: z.enum(tenantModes),
  credentials: z.int(),
});

export const settingsHistoryAnswer = z
  .object({
    history: z.array(
      tenantChoice.extend({
        before: tenantChoice.nullable().describe('What was desired when it was chosen; null: it is the first'),
        operation: z
          .object({ operationId: z.uuid(), type: operationType, state: operationState })
          .nullable()
          .describe('What carries it out; one that ended without success took it back. Null: it took effect at once'),
        caller,
        at: time,
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'SettingsHistory', description: 'A page of what was chosen for a tenant, newest first' });
