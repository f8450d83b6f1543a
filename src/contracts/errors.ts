import { operationTable, operationTypeAskedBy } from './operation-table.ts';

/**
 * One row per error code: may a step try again, what HTTP says, what the operator does about it (docs/errors.md). The advice on
 * a step's failure removes the cause and names no command: which commands apply depends on the operation's type and state, so
 * the status lists those (`attention.choices`).
 */
export interface ErrorInfo {
  readonly retryable: boolean;
  /** Present on codes that the API answers with. */
  readonly httpStatus?: number;
  readonly operator: string;
  /** Of a retryable code: what the operator does when it is not tried again any more (the step or its removal failed for good). */
  readonly whenOver?: string;
}

const info = (
  operator: string,
  o: { retryable?: boolean; httpStatus?: number; whenOver?: string } = {},
): ErrorInfo => ({
  retryable: o.retryable ?? false,
  operator,
  ...(o.whenOver === undefined ? {} : { whenOver: o.whenOver }),
  ...(o.httpStatus === undefined ? {} : { httpStatus: o.httpStatus }),
});

/** `a`, `b` or `c`, as code. */
function orList(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`;
}

export const errorTable = {
  // Answers of the API
  INVALID_INPUT: info('Fix the request: `details` names each field.', { httpStatus: 400 }),
  UNAUTHENTICATED: info(
    'Send `Authorization: Bearer` with a token of the configured issuer, or with a service key; `details.reason` says what is wrong with the one that was sent. `ticket`: ask for another ticket, each opens one stream.',
    { httpStatus: 401 },
  ),
  FORBIDDEN: info('The role does not allow it: ask somebody who has one of those that `details.roles` lists.', {
    httpStatus: 403,
  }),
  TENANT_MISMATCH: info('The tenant is not one of those that the caller may reach, or there is none of that name.', {
    httpStatus: 403,
  }),
  RATE_LIMITED: info(
    'Wait as many seconds as the header `Retry-After` says, then try again; nothing was done. `details.policy` names the limit (docs/limits.md).',
    { httpStatus: 429 },
  ),
  TOO_MANY_STREAMS: info('End a live stream of this caller, or wait until one has ended.', { httpStatus: 429 }),
  IDEMPOTENCY_KEY_REUSED: info(
    'The key belongs to another request of this caller: send a new key, or the same request again.',
    { httpStatus: 422 },
  ),
  IDEMPOTENCY_KEY_IN_USE: info(
    'The first request with this key is still at work: send the same again after `Retry-After` seconds.',
    { httpStatus: 409 },
  ),
  PRECONDITION_FAILED: info(
    'It was changed since it was read: read it again, and send `If-Match` with the new `ETag`.',
    { httpStatus: 412 },
  ),
  UNKNOWN_PRODUCT: info('Name a product that this installation has: `details.products` lists them.', {
    httpStatus: 400,
  }),
  NOT_SUPPORTED: info('The parameter is not supported yet; leave it out.', { httpStatus: 400 }),
  CONFIRMATION_REQUIRED: info('Repeat with `?confirm=` and the slug that is to be deleted; of an account, its id.', {
    httpStatus: 400,
  }),
  NOT_FOUND: info('There is no such route.', { httpStatus: 404 }),
  METHOD_NOT_ALLOWED: info('The path takes other methods: the header `Allow` lists them.', { httpStatus: 405 }),
  TENANT_NOT_FOUND: info('Check the name; `tenantry tenants list --all` shows all.', { httpStatus: 404 }),
  TENANT_NAME_AMBIGUOUS: info(
    'Several products have a tenant of that slug: name it by its id, or as `product~slug`; `details.candidates` lists both.',
    { httpStatus: 409 },
  ),
  OPERATION_NOT_FOUND: info('Check the operation id; the tenant names its operations.', { httpStatus: 404 }),
  CERTIFICATE_NOT_FOUND: info(
    'A certificate is made once a deletion has removed all of the tenant; `tenantry tenants show` says where it is.',
    { httpStatus: 404 },
  ),
  SLUG_TAKEN: info('Choose another slug; the message says who holds this one, and until when.', { httpStatus: 409 }),
  OPERATION_IN_PROGRESS: info(
    'Wait for the open operation to end; the message says whether it can be cancelled. With `Retry-After` no operation is named: other requests came in between, send it again.',
    {
      httpStatus: 409,
    },
  ),
  NOTHING_TO_RETRY: info('`tenantry tenants show` says what applies instead.', { httpStatus: 409 }),
  RUN_LOST: info(
    'The run ended without recording its end (terminated, or gone with its namespace). The operation gets stuck within two minutes; then what is left can be taken back.',
    { httpStatus: 409 },
  ),
  DATABASE_BEHIND: info(
    'Temporal says that the run ended well, while this database has its operation open: it is older than what happened, as after a restore. The tenant may be live: look at its address first, and remove nothing because of what this database says. docs/backup.md tells how to go on after a restore.',
  ),
  NOT_STUCK: info('`tenantry tenants show` says what applies instead.', { httpStatus: 409 }),
  NOT_CANCELLABLE: info('`tenantry tenants show` says what applies instead.', { httpStatus: 409 }),
  TENANT_NOT_DELETABLE: info(
    `A deletion starts from ${orList(operationTable[operationTypeAskedBy('delete')].tenantStatus.acceptedFrom)}; of a deleted tenant nothing is left to do.`,
    {
      httpStatus: 409,
    },
  ),
  TENANT_NOT_CHANGEABLE: info('A change starts from `active`; `tenantry tenants show` says what the tenant is at.', {
    httpStatus: 409,
  }),
  TENANT_NOT_ISOLATABLE: info(
    'Only a tenant that has a host and a place on a load balancer can be isolated: the message says what it lacks.',
    { httpStatus: 409 },
  ),
  CHANGE_NOT_POSSIBLE: info(
    'Ask for a change that can be made to what is there: the message names what cannot. For anything else, create another tenant.',
    { httpStatus: 422 },
  ),
  FROZEN: info(
    'No operation of the product or in the cell is accepted: the message says why, since when, and whom to ask. `tenantry freeze list` shows all; open operations go on.',
    { httpStatus: 423 },
  ),
  FEATURE_DISABLED: info(
    'The installation has it switched off: set the environment variable that the message names on the API, and restart it.',
    { httpStatus: 403 },
  ),
  FREEZE_NOT_FOUND: info('Check the id: `tenantry freeze list` shows the freezes in force.', { httpStatus: 404 }),
  WEBHOOK_NOT_FOUND: info('Check the id: `tenantry webhooks list` shows all.', { httpStatus: 404 }),
  DELIVERY_NOT_FOUND: info('Check the id: `tenantry webhooks deliveries` lists those that are kept.', {
    httpStatus: 404,
  }),
  WEBHOOK_LIMIT: info('Delete a webhook, or wait for the end of an earlier secret: the message says which.', {
    httpStatus: 409,
  }),
  CELL_CLOSED: info('Name a cell that takes tenants, or none: `tenantry cells` shows which do.', { httpStatus: 409 }),
  CELL_FULL: info('No load balancer of the cell has room: add one to the platform description.', { httpStatus: 503 }),
  PAYLOAD_TOO_LARGE: info('Send a smaller body.', { httpStatus: 413 }),
  HEADERS_TOO_LARGE: info('Send fewer or shorter headers, or a shorter URL.', { httpStatus: 431 }),
  REQUEST_TIMEOUT: info('The request did not arrive in time: send it again, without pauses.', { httpStatus: 408 }),
  UNSUPPORTED_MEDIA_TYPE: info('Send application/json.', { httpStatus: 415 }),
  ORCHESTRATOR_UNAVAILABLE: info(
    "See that the API reaches the installation's own Temporal (`GET /readyz`), then try again.",
    {
      httpStatus: 503,
    },
  ),
  OUTCOME_UNKNOWN: info(
    'The request may have taken effect, or may yet: no clear answer came from PostgreSQL or Temporal. Ask what `details.ask` names: that it shows nothing proves nothing before `details.mayLandUntil`.',
    { httpStatus: 504 },
  ),
  ISSUER_UNAVAILABLE: info(
    'The identity provider does not answer, so nobody can tell whether the token is good: see that the API reaches it, then try again.',
    { httpStatus: 503 },
  ),
  DATABASE_UNAVAILABLE: info('See that PostgreSQL takes requests (`GET /readyz`), then try again.', {
    httpStatus: 503,
    retryable: true,
    whenOver: 'PostgreSQL could not be reached: bring it back.',
  }),
  INTERNAL: info('A defect: report it with the request id.', { httpStatus: 500 }),

  // Failures of steps
  OWNERSHIP_CONFLICT: info('Something else holds the name: have its owner remove or rename it, or use another slug.'),
  RULE_SHADOWED: info(
    'An earlier rule of the listener answers in the place of the tenant: remove it, narrow it or give it a worse priority; or allow it in the platform description.',
  ),
  CERTIFICATE_INVALID: info(
    "The load balancer's certificate is not valid for the tenant's host: add one that covers it to the listener.",
  ),
  ZONE_NOT_AUTHORITATIVE: info(
    "Nobody would be told of the record: the cell's zone is private, or an NS record in it gives the name to other servers. Correct the zone or the platform description.",
  ),
  TEMPLATE_NOT_FOUND: info('Deploy the template service that the detail names.'),
  TEMPLATE_UNUSABLE: info(
    'Correct the template service (the message says what is wrong), or allow what it shares in the platform description.',
  ),
  OUTSIDE_CELL: info(
    'The blueprint names something that the cell does not list: fix the platform description, and restart the workers.',
  ),
  PRIORITIES_EXHAUSTED: info(
    'No listener-rule priority is left in the band: free some; add a load balancer for new tenants.',
  ),
  ACCESS_DENIED: info("Fix the rights of the worker's role."),
  CREDENTIALS_MISSING: info(
    'The worker has no AWS credentials that AWS accepts, or its clock is wrong: fix that. It is tried again by itself, for as long as it takes.',
    {
      retryable: true,
      whenOver: 'The worker had no AWS credentials that AWS accepts, or its clock was wrong: fix that.',
    },
  ),
  QUOTA_EXCEEDED: info('Have the quota raised, or free room.'),
  INVALID_REQUEST: info(
    'AWS refused the request as invalid; the message holds its words. Usually a mistake in the product.',
  ),
  SERVICE_FAILED: info(
    "Its tasks do not start or do not keep running: the detail has the reasons that ECS gives, the service's log group what the application says. Of a stack the detail has what failed in it, and why. Fix the cause (the image, what it depends on); other images or settings need a request of their own, which is accepted once this operation has ended.",
  ),
  DEADLINE_EXCEEDED: info(
    'It took longer than its deadline; the detail holds the last thing seen. Fix what delays it.',
  ),
  READINESS_LOST: info(
    'What a step made was ready and is not any more: somebody changed or deleted it, or its tasks stop. The detail says what was seen: fix what did that.',
  ),
  DATA_LOST: info(
    "What holds the tenant's data was deleted outside Tenantry, and nothing empty is made in its place: restore it from a backup or a dump, under the same name and with its ownership mark (docs/backup.md).",
  ),
  DUMP_FAILED: info(
    'The final dump would lack data of the tenant, so nothing of it was dropped; the message names what, and what to do. Without a dump it is removed only where its cell has no `archive` in the platform description when the deletion is asked for.',
  ),
  STILL_PRESENT: info(
    'Something keeps it, it came back, it lost its ownership mark, or rows were written to it that are not known to be anywhere else; the detail says what was seen. Remove that, put the mark back, or see to the rows.',
  ),
  STEP_REVOKED: info('The step is being taken back, a late attempt stopped itself. Nothing to do.'),
  BLUEPRINT_INVALID: info(
    'The stored blueprint cannot run; the detail lists why. A mistake in the product: fix it there.',
  ),
  WORKER_LACKS_KIND: info(
    'The worker that took it does not know what the operation is made of; the detail lists what. See that every worker is of the same release and loads the same `tenantry.config.ts` as the API. It is tried again by itself, for as long as it takes.',
    {
      retryable: true,
      whenOver:
        'The worker that took it did not know what the operation is made of: see that every worker is of the same release and loads the same `tenantry.config.ts` as the API.',
    },
  ),
  SPEC_UNREADABLE: info(
    "The kind of today reads the step's stored spec otherwise than the one that made it, so what is to be removed cannot be told: start workers whose kind still reads it.",
    {
      retryable: true,
      whenOver:
        "The kind of today reads the step's stored spec otherwise than the one that made it, so what is to be removed cannot be told: start workers whose kind still reads it.",
    },
  ),
  MIGRATION_FAILED: info(
    'A tenant migration failed; the detail names file and SQLSTATE. Fix it, and restart the workers.',
  ),
  PROTECTED: info(
    'It belongs to a tenant that was active, so an undo does not drop it; only a deletion of the tenant does.',
  ),
  THROTTLED: info('AWS throttles; it is tried again by itself.', {
    retryable: true,
    whenOver: 'AWS throttled the last try: find what uses up the rate of the account.',
  }),
  AWS_UNAVAILABLE: info('AWS answered with a server error; it is tried again by itself.', {
    retryable: true,
    whenOver: 'AWS answered every try with a server error: see whether the service is well again.',
  }),
  AWS_ANSWER_UNREADABLE: info(
    "What answered is not AWS (a proxy, a firewall's page) or the answer was cut short: fix the way to AWS. The next attempt looks first.",
    {
      retryable: true,
      whenOver:
        "What answered is not AWS (a proxy, a firewall's page) or the answer was cut short: fix the way to AWS.",
    },
  ),
  UNCLEAR: info('No answer came; the next attempt looks first.', {
    retryable: true,
    whenOver: 'No try got an answer: see whether the worker reaches the service. What came of it is looked at first.',
  }),
  CONFLICT_RETRYABLE: info('The resource is busy (draining, a batch in flight); it is tried again by itself.', {
    retryable: true,
    whenOver:
      'The resource stayed busy through every try: find what uses it (the detail names what AWS said) and end that.',
  }),
  TENANT_DATABASE_UNAVAILABLE: info("The tenants' database cannot be reached; it is tried again by itself.", {
    retryable: true,
    whenOver: "The tenants' database could not be reached through every try: bring it back, or the way to it.",
  }),
} as const satisfies Readonly<Record<string, ErrorInfo>>;

export type ErrorCode = keyof typeof errorTable;

/** The row of a code; undefined for a product's own failure types (`failsAs`). */
export function errorInfo(code: string): ErrorInfo | undefined {
  return (errorTable as Readonly<Record<string, ErrorInfo>>)[code];
}

/** A failure as it is stored, shown and sent: no secrets, no stack. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly stepId?: string | undefined;
  readonly detail?: string | undefined;
}

/** Of a failure as an account's status tells it, in characters (requirement U-29). */
export const LONGEST_PROVISIONING_ERROR = 1_000;

/** A failure in one line of text: code, step, message and detail. */
export function failureLine({ code, detail, message, stepId }: Failure): string {
  const at = stepId === undefined ? '' : ` at ${stepId}`;
  return `${code}${at}: ${message}${detail === undefined ? '' : ` (${detail})`}`;
}

/**
 * Codes in whose place a step's own words stand (`failsAs`): the waits that ended badly. Everything else (somebody else's
 * resource in the way, denied, a quota) keeps its code, because it tells the operator what to do.
 */
export const codesInStepsWords: readonly string[] = [
  'SERVICE_FAILED',
  'DEADLINE_EXCEEDED',
  'READINESS_LOST',
] satisfies readonly ErrorCode[];

/** Failures of operations whose run ended without recording its end in this database. */
export const lostRunCodes: readonly string[] = ['RUN_LOST', 'DATABASE_BEHIND'] satisfies readonly ErrorCode[];

/**
 * Failures that say nothing of the step: an outage of our own database or of the worker's credentials, throttling, a worker
 * that lacks the kind. The attempts that they use up are given anew, so they end no step.
 */
export const transientCodes: readonly string[] = [
  'DATABASE_UNAVAILABLE',
  'THROTTLED',
  'CREDENTIALS_MISSING',
  'WORKER_LACKS_KIND',
] satisfies readonly ErrorCode[];
