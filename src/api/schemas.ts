import { differenceClasses, driftRemedies } from '../contracts/drift.ts';
import { z } from 'zod';
import { plainText, typedEmailAddress } from '../formats.ts';
import { roles } from '../contracts/caller.ts';
import { durationPattern } from '../contracts/durations.ts';
import { errorTable, type ErrorCode, type ErrorInfo } from '../contracts/errors.ts';
import { eventTypes } from '../contracts/events.ts';
import { graceMsOf, graceProblem, LONGEST_GRACE_DAYS } from '../contracts/grace.ts';
import { healthStatuses } from '../contracts/health.ts';
import { isolationStates } from '../contracts/isolation.ts';
import { closedOperationStates, openOperationStates } from '../contracts/operation-state.ts';
import { leftoverConditions } from '../contracts/messages.ts';
import { operationTypes } from '../contracts/operation-table.ts';
import { tenantModes } from '../contracts/settings.ts';
import {
  DEFAULT_TENANT_SORT,
  driftFilters,
  healthFilters,
  LONGEST_SEARCH,
  tenantSorts,
} from '../contracts/tenant-list.ts';
import { parseTenantName, tenantNamePattern } from '../contracts/tenant-name.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import { unsettledKinds } from '../contracts/unsettled.ts';
import { normalSlug, parseSlug } from '../products/slug.ts';

/** What the description says of a slug; `parseSlug` says better what is wrong. A product may reserve more. */
const slugPattern = '^(?!..--)[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$';
const slugFormat = { pattern: String.raw`^\s*(?!..--)[A-Za-z0-9][A-Za-z0-9\-]{1,38}[A-Za-z0-9]\s*$`, minLength: 3 };

/** Each product has its own: what is wrong with one is said by field all the same. */
const settings = z.record(z.string(), z.unknown());

const displayName = plainText(200);
const contactEmail = typedEmailAddress.describe('Where the welcome mail goes');

export const createTenantBody = z.strictObject({
  product: z.string().min(1).max(40).describe('Name of the product, such as `moamalat`'),
  tier: z.string().min(1).max(40).optional().describe('Size inside the product, where the product has tiers'),
  slug: z
    .string()
    .max(100, { abort: true })
    .superRefine((text, context) => {
      const parsed = parseSlug(text);
      if (!parsed.ok) context.addIssue(parsed.problem);
    })
    .meta({ ...slugFormat, examples: ['acme'] })
    .optional()
    .describe(
      'DNS label, unique in its product: 3 to 40 of a-z, 0-9 and hyphen. Required, but refused where the product gives its tenants their ids for slugs',
    ),
  displayName,
  contactEmail,
  onFailure: z
    .enum(['hold', 'rollback'])
    .default('hold')
    .describe('`hold`: wait for an operator for a bounded time before rolling back; `rollback`: at once'),
  settings: settings.optional().describe('What an operator chooses; the product says what it takes'),
  cell: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('Id of the cell that the tenant must be in; by default the first that serves the product and has room'),
});

/** Undoing at once is the default: an active tenant is in use meanwhile. */
const onFailureOfChange = z
  .enum(['hold', 'rollback'])
  .default('rollback')
  .describe('`rollback`: bring back at once what was; `hold`: wait for an operator for a bounded time before');

/** Details are changed in a request of their own. */
const detailsBesideOthers = ['displayName', 'contactEmail'].flatMap((detail) => [
  { required: [detail, 'settings'] },
  { required: [detail, 'refresh'], properties: { refresh: { const: true } } },
]);

export const changeTenantBody = z
  .strictObject({
    displayName: displayName.optional().describe('Changed at once, in a request without `settings` and `refresh`'),
    contactEmail: contactEmail.optional().describe('As `displayName`'),
    settings: settings.optional().describe('Merged into what is desired (RFC 7396): null takes a choice back'),
    refresh: z
      .boolean()
      .optional()
      .describe('Clone from the template services as they are now, and bring tenant migrations up to date'),
    onFailure: onFailureOfChange,
  })
  .meta({ not: { anyOf: detailsBesideOthers } });

export const scaleTenantBody = z.strictObject({
  service: z.string().min(1).max(40).optional().describe('A service of the product; may be left out where it has one'),
  count: z.int().min(0).max(1_000).describe('How many tasks it is to have; the product says how many it may have'),
  onFailure: onFailureOfChange,
});

/** Body of `suspend`, `resume` and `rotate`. */
export const changeModeBody = z
  .strictObject({
    reason: plainText(500).optional().describe('Why, for the audit trail'),
    onFailure: onFailureOfChange,
  })
  .nullish();

/** Body of `migrate`. */
export const migrateBody = z.strictObject({
  tier: z.string().min(1).max(40).describe('To which the product declares a change from the one that the tenant is in'),
  reason: plainText(500).optional().describe('Why, for the audit trail'),
  onFailure: onFailureOfChange,
});

/** Body of `repair`. */
export const repairBody = z
  .strictObject({ reason: plainText(500).optional().describe('Why, for the audit trail') })
  .nullish();

/** Body of a freeze. */
export const freezeBody = z.strictObject({
  product: z.string().min(1).max(40).optional().describe('Default: any product of the cell'),
  cell: z.string().min(1).max(40).optional().describe('Default: any cell'),
  reason: plainText(500).describe('Why: shown to whoever asks for an operation meanwhile'),
});

/** Body of an isolation. */
export const isolateBody = z.strictObject({
  reason: plainText(500).describe('Why, for the audit trail and for whoever looks at the tenant'),
});

/** Body of `abandon`. */
export const abandonBody = z.strictObject({
  reason: plainText(500).describe('Why, for the audit trail'),
  by: plainText(200).optional().describe('Who, for the audit trail, as the caller says it'),
});

/** Ids are compared as text further in, and PostgreSQL writes them in lower case. */
export const id = z.uuid().toLowerCase();

export const freezeParams = z.strictObject({ freezeId: id });

/** The guard has put the id in the place of a slug by the time that this is checked. */
const tenantName = z
  .string()
  .max(100)
  .transform((text, context) => {
    const name = parseTenantName(text);
    if (name && 'id' in name) return name.id;
    context.addIssue("must be a tenant's id, its slug, or product~slug");
    return z.NEVER;
  })
  .describe(
    'Id of the tenant, or its slug: that means the tenant that has it now, else the one that had it last. `product~slug` where several ' +
      'products have one. What has the form of an id is an id',
  )
  .meta({ pattern: tenantNamePattern, examples: ['acme', 'moamalat~acme', '8f14e45f-ceea-467f-ab70-4a1b9b3f8a1e'] });
/** Error codes of every request whose path names a tenant. */
export const tenantCodes = ['TENANT_NOT_FOUND', 'TENANT_NAME_AMBIGUOUS'] as const;
export const tenantParams = z.strictObject({ tenantId: tenantName });
export const operationParams = z.strictObject({ tenantId: tenantName, operationId: id });
export const noQuery = z.strictObject({});

/** A parameter in decimal digits; `Number` would also take nothing at all, `0x10` and `1e2`. */
const whole = (min: number, max: number, initial: number) =>
  z
    .preprocess(
      (text) => (typeof text === 'string' && /^-?\d+$/.test(text) ? Number(text) : text),
      z.int().min(min).max(max),
    )
    .default(initial);

/** `true` or `false`. */
export const flag = z.preprocess((text) => (text === 'true' ? true : text === 'false' ? false : text), z.boolean());

export const dryRunQuery = z.strictObject({
  dryRun: flag.default(false).describe('Answer with what the request would do, and change nothing'),
});

/** A parameter that takes several of these values: repeated, or with commas between. In order, so that the same choice is the same list. */
export function severalOf<T extends string>(values: readonly T[]) {
  const isKnown = (text: string): text is T => values.some((value) => value === text);
  return z
    .preprocess(
      (given) =>
        typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given.flatMap(splitText) : given,
      z.array(z.string()).transform((given, context): T[] => {
        const known = given.filter(isKnown);
        if (known.length === given.length) return [...new Set(known)].sort();
        const unknown = given.filter((text) => !isKnown(text)).map((text) => `"${oneLine(text)}"`);
        context.addIssue(`must be one or several of ${values.join(', ')}, not ${unknown.join(', ')}`);
        return z.NEVER;
      }),
    )
    .meta({ items: { type: 'string', enum: [...values] } });
}

function splitText(given: unknown): unknown[] {
  return typeof given === 'string' ? given.split(',') : [given];
}

/** What is repeated of a parameter is no longer than a line. */
function oneLine(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

const cursor = z
  .string()
  .max(600)
  .optional()
  .describe(
    '`nextCursor` of the page before, as it came: opaque. INVALID_INPUT when no page of the list ended with it, or with other filters or another order than that page had',
  );

export const listQuery = z.strictObject({
  product: z.string().min(1).max(40).optional(),
  slug: z.string().min(1).max(100).transform(normalSlug).optional(),
  status: severalOf(tenantStatuses).optional().describe('One of several: repeated, or with commas between'),
  operation: z.enum(openOperationStates).optional().describe('Only tenants whose open operation is in this state'),
  text: z
    .string()
    .min(1)
    .max(LONGEST_SEARCH)
    .refine((text) => !/\p{Cc}/u.test(text), 'must have no control characters')
    .meta({ pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$` })
    .optional()
    .describe(
      'Only tenants with this text somewhere in their slug, display name or e-mail address (`contactEmail`): letter by letter, ' +
        'in upper or lower case; no character stands for others',
    ),
  health: severalOf(healthFilters)
    .optional()
    .describe('Only tenants whose `health.status` is one of these; `none`: `health` is null. As `status`, several'),
  drift: z
    .enum(driftFilters)
    .optional()
    .describe(
      'Whether tenants are not as they were applied: `yes` and `no` are `drift.state` `drift` and `none`; `unknown`: it is `unknown`, or nobody has looked',
    ),
  includeGone: flag
    .optional()
    .describe(
      'Whether to list tenants of which nothing is left too (`deleted`, or `failed` and rolled back). By default they are ' +
        'left out, unless `status` or `slug` is given',
    ),
  sort: z
    .enum(tenantSorts)
    .default(DEFAULT_TENANT_SORT)
    .describe('`-`: descending. Slugs are in the order of the database. Equals are in the order of their ids'),
  limit: whole(1, 200, 50),
  cursor,
});

export const historyQuery = z.strictObject({ limit: listQuery.shape.limit, cursor: listQuery.shape.cursor });

export const eventsQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER, 0).describe('Id of the last event that is known already'),
  limit: whole(1, 500, 100).describe('Of a page; a stream has none'),
});

/** Of pages, and of streams. */
export const eventsOrStreamQuery = eventsQuery.extend({
  ticket: z.string().max(100).optional().describe('In the place of a credential: opens one live stream, by GET'),
});

const grace = z
  .string()
  .max(20)
  .transform((text, context) => {
    const ms = graceMsOf(text);
    if (ms === undefined) context.addIssue(graceProblem);
    return ms ?? 0;
  })
  .optional()
  .describe(
    'How long it waits before anything is removed; `cancel` leaves the tenant as it is meanwhile. `0`, or a number of seconds, ' +
      'minutes, hours or days: `90s`, `30m`, `12h`, `7d` (90 days at most). By default as the installation has it',
  )
  .meta({ pattern: durationPattern(LONGEST_GRACE_DAYS), examples: ['2d'] });

/** Required, though the schema lets it be left out: the refusal has a code of its own. */
export const deleteQuery = z
  .strictObject({
    confirm: z
      .string()
      .max(100)
      .optional()
      .describe('The slug of the tenant, repeated: its id, where the product gives its tenants those')
      .meta({ pattern: slugPattern }),
    grace,
    export: dryRunQuery.shape.dryRun.describe('Refuse unless a final dump is kept; it may be handed out'),
    dryRun: dryRunQuery.shape.dryRun,
  })
  .meta({ required: ['confirm'] });

export const time = z.iso.datetime({ offset: true });
const operationState = z.enum([...openOperationStates, ...closedOperationStates]).meta({ id: 'OperationState' });
/** Formats that the description gives; what is stored was checked when it came in. */
const tenantUrl = z
  .string()
  .nullable()
  .meta({ format: 'uri', description: "Null: the product's tenants have no address" });
const email = z.string().meta({ format: 'email' });
const tenantStatus = z.enum(tenantStatuses).meta({ id: 'TenantStatus' });
const operationType = z.enum(operationTypes).meta({ id: 'OperationType' });
const failure = z
  .object({
    code: z.string(),
    message: z.string(),
    stepId: z.string().optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'Failure', description: 'What failed for good' });
/** Optional: an API of an earlier release does not give it. */
const caller = z
  .object({ principal: z.string(), role: z.enum(roles), requestId: z.string(), address: z.string().optional() })
  .meta({ id: 'Caller', description: 'Who asked, and in which request' })
  .nullable()
  .describe('Null: not known')
  .optional();

const leftover = z
  .object({
    stepId: z.string(),
    type: z.string(),
    name: z.string(),
    physicalId: z.string().optional(),
    code: z.string().optional(),
    reason: z.string(),
    condition: z
      .enum(leftoverConditions)
      .optional()
      .describe(
        '`left`: it is there and is not to be; `missing`: data that the tenant is to have is gone; `changed`: it was not brought to what was applied; `not-looked-at`: its turn to be brought back did not come',
      ),
  })
  .meta({ id: 'Leftover', description: 'Something that is left, missing or not as it was applied, and why' });
const advice = z
  .object({ code: z.string(), text: z.string(), runbook: z.string() })
  .meta({ id: 'Advice', description: 'What the code asks of an operator, and its page of the runbook' });
const attention = z
  .object({
    since: time,
    until: time.optional(),
    otherwise: z.string(),
    advice: z.array(advice),
    choices: z.array(
      z.object({
        verb: z.enum(['retry', 'cancel', 'repair', 'abandon', 'delete']),
        command: z.string(),
        effect: z.string(),
      }),
    ),
  })
  .meta({
    id: 'Attention',
    description: 'It waits for a person: since when, until when, what happens otherwise, and what can be done',
  });

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
const finalDump = z
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

/** Optional: an API of an earlier release does not give it. */
const workers = z
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

/** Optional: an API of an earlier release does not give it. */
const isolation = z
  .object({
    state: z
      .enum(isolationStates)
      .describe('`failed`: the last attempt was refused, and is tried again; `lastError` says why'),
    wanted: z.boolean().describe('False: the notice is to go'),
    since: time.describe('When what is wanted now was asked for'),
    reason: z.string(),
    caller,
    lastError: failure.nullable(),
  })
  .meta({ id: 'Isolation', description: 'Whether a notice answers in the place of the tenant' })
  .nullable()
  .describe('Null: the tenant is not isolated')
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
const drift = z
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

const outcome = z
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
const deletesAt = time
  .nullable()
  .optional()
  .describe('Of a deletion that waits for the end of its grace period: when it begins to remove');

/** Optional: an API of an earlier release does not give it. */
const unsettled = z
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

const listedTenant = tenantAnswer.extend({ outcome, unsettled, deletesAt, openOperation, drift });
const nextCursor = z.string().nullable().describe('Give it as `cursor` for the next page; null: this is the last one');

/** Its operation tells it from the other answers of a request. */
export const finishedAnswer = tenantWithOutcomeAnswer
  .extend({ operationId: z.uuid(), outcome: outcome.unwrap() })
  .meta({
    id: 'Finished',
    description: 'The tenant: the operation that the request started has ended, as `outcome` says',
  });

export const tenantsAnswer = z
  .object({ tenants: z.array(listedTenant), nextCursor })
  .meta({ id: 'TenantPage', description: 'A page of tenants' });

/** Fields that a list of tenants may be asked for. */
export const listedTenantFields: readonly string[] = listedTenant.keyof().options;

export const sparseTenantsAnswer = z
  .object({ tenants: z.array(listedTenant.partial().required({ tenantId: true })), nextCursor })
  .meta({ id: 'SparseTenantPage', description: 'A page of tenants, with the fields that were asked for' });

export const tenantsQuery = listQuery.extend({
  fields: severalOf(listedTenantFields)
    .optional()
    .describe('Only these fields of each tenant, and `tenantId`: repeated, or with commas between. Default: all'),
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

export const operationAnswer = z
  .object({
    operationId: z.uuid(),
    tenantId: z.uuid(),
    type: operationType,
    state: operationState,
    onFailure: z.enum(['hold', 'rollback']),
    workflowId: z.string(),
    runId: z.string().nullable(),
    generation: z.int(),
    failure: failure.optional(),
    leftovers: z.array(leftover).optional(),
    cancelRequestedAt: time.nullable(),
    caller,
    deletesAt,
    acceptedAt: time,
    claimedAt: time.nullable(),
    closedAt: time.nullable(),
    updatedAt: time,
  })
  .meta({ id: 'Operation', description: 'The operation' });

export const operationsAnswer = z
  .object({ operations: z.array(operationAnswer) })
  .meta({ id: 'OperationList', description: 'The operations' });

const certifiedResource = z.object({
  stepId: z.string(),
  type: z.string(),
  name: z.string(),
  physicalId: z.string().nullable(),
  madeAt: time
    .nullable()
    .describe(
      'When it was made. What is changed in its place keeps it, what was gone and made anew has the later time; null: it never was for sure',
    ),
  absentAt: time.describe('When it was seen absent'),
});
const certifiedRows = z.object({
  stepId: z.string(),
  table: z.string(),
  partition: z.string(),
  rows: z
    .int()
    .nullable()
    .describe('Null: they were not counted, by an earlier release, or because the table was gone before them'),
  isExact: z.boolean().describe('False: an attempt was interrupted, so that there were more than `rows`, perhaps'),
  absentAt: time.describe('When the last of them was seen absent'),
});
const residue = z.object({
  stepId: z.string(),
  type: z.string(),
  name: z.string(),
  reason: z.string(),
  expiresAt: time.nullable().describe('Null: AWS names none'),
});
const certifiedDump = z.union([
  z.object({
    stepId: z.string(),
    kind: z.string(),
    kept: z.literal(true),
    bucket: z.string(),
    manifest: z.string().describe('Key of the object that names all others of the dump'),
    manifestSha256: z.string(),
    exported: z.boolean(),
    bytes: z.number(),
    tables: z.number(),
    rows: z.number(),
    keptAt: time,
    expiresAt: time.nullable(),
  }),
  z.object({ stepId: z.string(), kind: z.string(), kept: z.literal(false), why: z.string() }),
]);

export const certificateAnswer = z
  .object({
    certificate: z.object({
      certificate: z.literal('tenantry-deletion'),
      version: z.literal(1),
      installationId: z.uuid(),
      tenant: z.object({
        tenantId: z.uuid(),
        product: z.string(),
        tier: z.string().nullable(),
        slug: z.string(),
        cell: z.string(),
        createdAt: time,
        activatedAt: time.nullable(),
        deletedAt: time,
      }),
      operation: z.object({
        operationId: z.uuid(),
        type: operationType,
        askedBy: z
          .object({ principal: z.string(), role: z.enum(roles), requestId: z.string() })
          .nullable()
          .describe('Null: not known'),
        askedAt: time,
        closedAt: time,
      }),
      resources: z.array(certifiedResource),
      deletedRows: z
        .array(certifiedRows)
        .optional()
        .describe('Rows of services that were deleted one by one. Absent: certified by a release that listed none'),
      residues: z.array(residue).describe('What stays for a while though it was removed'),
      finalDump: z
        .object({ kept: z.boolean(), why: z.string().nullable() })
        .optional()
        .describe('Absent: certified by a release that kept none'),
      finalDumps: z.array(certifiedDump).optional().describe('Of each step that held data'),
      tombstone: z.object({
        slugReservedUntil: time
          .nullable()
          .describe('Until when nobody can create a tenant of this slug; null: it was free at once'),
      }),
    }),
    jws: z
      .object({ payload: z.string(), protected: z.string(), signature: z.string() })
      .describe('JWS in flattened JSON (RFC 7515): ES256, `kid` names one of `/api/v1/keys`'),
  })
  .meta({ id: 'Certificate', description: 'What was certified of the deletion, signed' });

export const keysAnswer = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) })
  .meta({ id: 'Keys', description: 'JWK set (RFC 7517)' });

export const eventAnswer = z
  .object({
    id: z.int(),
    at: time,
    type: z.enum(eventTypes),
    tenantId: z.uuid(),
    operationId: z.uuid().nullable(),
    stepId: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    caller,
    advice: advice.optional(),
  })
  .meta({ id: 'Event', description: 'Something that happened to a tenant' });

export const eventsAnswer = z
  .object({
    events: z.array(eventAnswer),
    nextAfter: z.int().describe('Give it as `after` to read on'),
  })
  .meta({ id: 'EventPage', description: 'A page of events' });

const check = z.object({ ok: z.boolean(), detail: z.string() });
export const readyAnswer = z
  .object({
    ok: z.boolean(),
    draining: z.literal(true).optional().describe('The process is about to end'),
    checks: z.object({ postgresql: check, temporal: check, workers: check }),
  })
  .meta({ id: 'Readiness', description: 'Each part that is needed, and whether it is there' });
export const startAnswer = z
  .object({
    name: z.string(),
    docs: z.string().meta({ format: 'uri-reference' }),
    openapi: z.string().meta({ format: 'uri-reference' }),
  })
  .meta({ id: 'Start', description: 'Where this API is described: for people, and as OpenAPI' });
export const healthAnswer = z.object({ ok: z.literal(true) }).meta({ id: 'Health', description: 'It lives' });

const payload = z.object({
  metadata: z.record(z.string(), z.base64()).optional(),
  data: z.base64().optional(),
});
/** protojson leaves empty lists out: Temporal's CLI sends `{}` for a header without fields. */
export const payloads = z
  .object({ payloads: z.array(payload).max(10_000).default([]) })
  .meta({ id: 'Payloads', description: 'Payloads of Temporal' });

const answerCodes = Object.entries(errorTable).flatMap(([code, row]) => ('httpStatus' in row ? [code] : []));

export const errorAnswer = z
  .object({
    error: z.object({
      code: z.string().describe(`One of ${answerCodes.join(', ')} (docs/errors.md)`),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string().meta({ format: 'uuid' }),
    }),
  })
  .meta({ id: 'Error', description: 'What went wrong, and what to do about it' });

/** An answer in other media types than JSON, or in several. */
export interface MediaAnswer {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** Error answers that any route may give, besides those that any path of HTTP may (`default`). */
const always: readonly ErrorCode[] = ['INVALID_INPUT', 'NOT_FOUND', 'INTERNAL', 'DATABASE_UNAVAILABLE', 'RATE_LIMITED'];
const byHttp: readonly ErrorCode[] = ['METHOD_NOT_ALLOWED', 'REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE'];

/** Response schemas of a route: its own answers, and an error body for each status that its error codes have. */
export function answers<T extends Readonly<Record<number, z.ZodType | MediaAnswer>>>(
  own: T,
  codes: readonly ErrorCode[] = [],
): T & Record<number, z.ZodType> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...always, ...codes])) {
    const row: ErrorInfo = errorTable[code];
    const status = row.httpStatus ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const errors = [...byStatus].map(([status, names]) => [status, errorAnswer.describe(names.join(', '))] as const);
  const rest = { default: errorAnswer.describe(`Any other error, such as ${byHttp.join(', ')}`) };
  return Object.assign<Record<number, z.ZodType>, typeof rest, T>(Object.fromEntries(errors), rest, own);
}
