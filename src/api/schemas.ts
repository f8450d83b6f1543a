import { z } from 'zod';
import { errorTable, type ErrorCode, type ErrorInfo } from '../contracts/errors.ts';
import { eventTypes } from '../contracts/events.ts';
import { closedOperationStates, openOperationStates, operationTypes } from '../contracts/operation-state.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';

/** Text for people: no control characters (PostgreSQL refuses NUL, terminals obey the rest), no half surrogates. */
const plainText = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), 'must not contain control characters');

export const createTenantBody = z.strictObject({
  product: z.string().min(1).max(40).describe('Name of the product, such as `moamalat`'),
  tier: z.string().min(1).max(40).optional().describe('Size inside the product, where the product has tiers'),
  slug: z.string().max(100).describe('DNS label, unique in its product: 3 to 40 of a-z, 0-9 and hyphen'),
  displayName: plainText(200),
  contactEmail: z.string().trim().max(254).pipe(z.email()).describe('Where the welcome mail goes'),
  onFailure: z
    .enum(['hold', 'rollback'])
    .default('hold')
    .describe('`hold`: wait for an operator for a bounded time before rolling back; `rollback`: at once'),
});

/** Body of `abandon`. */
export const abandonBody = z.strictObject({
  reason: plainText(500).describe('Why, for the audit trail'),
  by: plainText(200).optional().describe('Who, for the audit trail, as the caller says it'),
});

/** Ids are compared as text further in, and PostgreSQL writes them in lower case. */
const id = z.uuid().toLowerCase();

export const tenantParams = z.strictObject({ tenantId: id });
export const operationParams = z.strictObject({ tenantId: id, operationId: id });
export const noQuery = z.strictObject({});

/** A parameter in decimal digits; `Number` would also take nothing at all, `0x10` and `1e2`. */
const whole = (min: number, max: number, initial: number) =>
  z
    .preprocess(
      (text) => (typeof text === 'string' && /^-?\d+$/.test(text) ? Number(text) : text),
      z.int('must be a whole number').min(min).max(max),
    )
    .default(initial);

const flag = z.preprocess((text) => (text === 'true' ? true : text === 'false' ? false : text), z.boolean());

export const listQuery = z.strictObject({
  product: z.string().min(1).max(40).optional(),
  slug: z.string().min(1).max(100).optional(),
  status: z.enum(tenantStatuses).optional(),
  operation: z.enum(openOperationStates).optional().describe('Only tenants whose open operation is in this state'),
  includeGone: flag
    .optional()
    .describe(
      'Whether to list tenants of which nothing is left too (`deleted`, or `failed` and rolled back). By default they are ' +
        'left out, unless `status` or `slug` is given',
    ),
  limit: whole(1, 200, 50),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before'),
});

export const eventsQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER, 0).describe('Id of the last event that is known already'),
  limit: whole(1, 500, 100),
});

export const deleteQuery = z.strictObject({
  confirm: z.string().max(100).optional().describe('The slug of the tenant, repeated'),
});

const time = z.iso.datetime({ offset: true });
const operationState = z.enum([...openOperationStates, ...closedOperationStates]);
const failure = z.object({
  code: z.string(),
  message: z.string(),
  stepId: z.string().optional(),
  detail: z.string().optional(),
});
const leftover = z.object({
  stepId: z.string(),
  type: z.string(),
  name: z.string(),
  physicalId: z.string().optional(),
  code: z.string().optional(),
  reason: z.string(),
});
const advice = z
  .object({ code: z.string(), text: z.string(), runbook: z.string() })
  .describe('What the code asks of an operator, and its page of the runbook');
const attention = z
  .object({
    since: time,
    until: time.optional(),
    otherwise: z.string(),
    advice: z.array(advice),
    choices: z.array(
      z.object({ verb: z.enum(['retry', 'cancel', 'abandon', 'delete']), command: z.string(), effect: z.string() }),
    ),
  })
  .describe('It waits for a person: since when, until when, what happens otherwise, and what can be done');

export const tenantAnswer = z
  .object({
    tenantId: z.uuid(),
    product: z.string(),
    tier: z.string().nullable(),
    slug: z.string(),
    displayName: z.string(),
    contactEmail: z.string(),
    cell: z.string(),
    status: z.enum(tenantStatuses),
    cleanupPending: z.boolean(),
    tenantUrl: z.string(),
    createdAt: time,
    updatedAt: time,
    activatedAt: time.nullable(),
    deletedAt: time.nullable(),
  })
  .describe('The tenant');

const outcome = z
  .object({
    operationId: z.uuid(),
    type: z.enum(operationTypes),
    state: z.enum(closedOperationStates),
    message: z.string(),
  })
  .nullable()
  .describe('How the newest operation ended; null while it is open');

export const tenantWithOutcomeAnswer = tenantAnswer.extend({ outcome }).describe('The tenant');

const openOperation = z
  .object({ operationId: z.uuid(), type: z.enum(operationTypes), state: z.enum(openOperationStates) })
  .nullable();

export const tenantsAnswer = z
  .object({ tenants: z.array(tenantWithOutcomeAnswer.extend({ openOperation })), nextCursor: z.string().nullable() })
  .describe('A page of tenants');

export const acceptedAnswer = z
  .object({
    tenantId: z.uuid(),
    operationId: z.uuid(),
    workflowId: z.string(),
    status: z.enum(tenantStatuses),
    statusUrl: z.string(),
    tenantUrl: z.string(),
  })
  .describe('Accepted: it is carried out from now on');

export const statusAnswer = z
  .object({
    tenantId: z.uuid(),
    status: z.enum(tenantStatuses),
    operation: z.object({ operationId: z.uuid(), type: z.enum(operationTypes), state: operationState }),
    outcome,
    currentStep: z.string().nullable(),
    currentSteps: z.array(z.string()),
    stepsDone: z.array(z.string()),
    stepsTotal: z.int(),
    startedAt: time,
    updatedAt: time,
    error: failure.optional(),
    leftovers: z.array(leftover).optional(),
    attention: attention.optional(),
    cleanupPending: z.boolean(),
    tenantUrl: z.string(),
  })
  .describe('How far it is');

export const operationAnswer = z
  .object({
    operationId: z.uuid(),
    tenantId: z.uuid(),
    type: z.enum(operationTypes),
    state: operationState,
    onFailure: z.enum(['hold', 'rollback']),
    workflowId: z.string(),
    runId: z.string().nullable(),
    generation: z.int(),
    failure: failure.optional(),
    leftovers: z.array(leftover).optional(),
    cancelRequestedAt: time.nullable(),
    acceptedAt: time,
    claimedAt: time.nullable(),
    closedAt: time.nullable(),
    updatedAt: time,
  })
  .describe('The operation');

export const operationsAnswer = z.object({ operations: z.array(operationAnswer) }).describe('The operations');

export const eventAnswer = z.object({
  id: z.int(),
  at: time,
  type: z.enum(eventTypes),
  tenantId: z.uuid(),
  operationId: z.uuid().nullable(),
  stepId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
  advice: advice.optional(),
});

export const eventsAnswer = z
  .object({
    events: z.array(eventAnswer),
    nextAfter: z.int().describe('Give it as `after` to read on'),
  })
  .describe('A page of events');

const check = z.object({ ok: z.boolean(), detail: z.string() });
export const readyAnswer = z
  .object({
    ok: z.boolean(),
    checks: z.object({ postgresql: check, temporal: check, workers: check }),
  })
  .describe('Each part that is needed, and whether it is there');
export const healthAnswer = z.object({ ok: z.literal(true) }).describe('It lives');

const payload = z.object({
  metadata: z.record(z.string(), z.base64()).optional(),
  data: z.base64().optional(),
});
/** protojson leaves empty lists out: Temporal's CLI sends `{}` for a header without fields. */
export const payloads = z
  .object({ payloads: z.array(payload).max(10_000).default([]) })
  .describe('Payloads of Temporal');

const answerCodes = Object.entries(errorTable).flatMap(([code, row]) => ('httpStatus' in row ? [code] : []));

export const errorAnswer = z
  .object({
    error: z.object({
      code: z.string().describe(`One of ${answerCodes.join(', ')} (docs/errors.md)`),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string(),
    }),
  })
  .describe('What went wrong, and what to do about it');

/** Error answers that any route may give. */
const always: readonly ErrorCode[] = ['INVALID_INPUT', 'NOT_FOUND', 'INTERNAL', 'DATABASE_UNAVAILABLE'];

/** Response schemas of a route: its own answers, and an error body for each status that its error codes have. */
export function answers<T extends Readonly<Record<number, z.ZodType>>>(
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
  return { ...Object.fromEntries(errors), ...own };
}
