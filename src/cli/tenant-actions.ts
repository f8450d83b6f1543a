import { hostname, userInfo } from 'node:os';
import { operationTable, operationTypeAskedBy, operationTypes } from '../contracts/operation-table.ts';
import { isOneOf } from './one-of.ts';
import { confirmedSlug } from './confirmation.ts';
import { OtherVersionError } from './api-errors.ts';
import type {
  Accepted,
  ApiClient,
  ControlVerb,
  ListRequest,
  ModeVerb,
  Preview,
  Tenant,
  TenantEvent,
} from './api-client.ts';
import type { Common, Context, Following, Waiting } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { followOperation, hasEnded, lastEventId, pastEvents } from './following.ts';
import { interruptible, interruptibleRequest, operationGoesOn } from './interruption.ts';
import { changeSigns, controlSigns, creationSigns, deletionSigns } from './late-outcome.ts';
import { afterAcceptance, eventPrinter, noteWorkers, outcome, type Acceptance } from './outcome.ts';
import { printAttention, printFields, printJson, printTenant, printTenants } from './output.ts';
import { printPreview, showPreview } from './preview-output.ts';
import { requested } from './requested.ts';
import { moment } from './attention.ts';
import { advance, callerText, emptyProgress, eventLine } from './progress.ts';
import type { Subject } from './subject.ts';
import { freezeLine } from './freezes.ts';
import { oneLine } from './text.ts';
import { choiceLines } from './settings-output.ts';
import { chosenSettings, type SettingsOptions } from './settings-options.ts';

export interface CreateOptions extends SettingsOptions {
  readonly product: string;
  /** Left out where the product's tenants have their ids for slugs. */
  readonly slug?: string;
  readonly name: string;
  readonly email: string;
  readonly tier?: string;
  readonly cell?: string;
  readonly onFailure?: string;
  readonly dryRun?: boolean;
}
export interface ListOptions {
  readonly product?: string;
  readonly slug?: string;
  readonly status?: string;
  readonly operation?: string;
  readonly text?: string;
  readonly health?: string;
  readonly drift?: string;
  readonly sort?: string;
  readonly fields?: string;
  readonly all?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * Creates a tenant and follows its provisioning.
 * @throws ApiError, ApiUnreachableError, TenantNameError (all); UnknownOutcomeError (all that change something)
 */
export async function create(context: Context, options: Waiting & CreateOptions): Promise<ExitCode> {
  const { product, slug, name, email, tier, cell, onFailure } = options;
  const look = `tenantry tenants list --product ${product}${slug === undefined ? '' : ` --slug ${slug}`}`;
  const settings = chosenSettings(options);
  const asked = { product, slug, displayName: name, contactEmail: email, tier, cell, onFailure, settings };
  if (options.dryRun === true) return showPreview(context, options, await context.api.previewCreation(asked));
  const send = () => context.api.create(asked);
  const accepted = await requested(context, options, look, send, creationSigns(context.api));
  return afterAcceptance(context, accepted, 0, options, {
    name: slug === undefined ? accepted.tenantId : `${product}/${slug.trim().toLowerCase()}`,
    good: ['succeeded'],
    isCancellable: true,
  });
}

export interface ChangeOptions extends SettingsOptions {
  readonly name?: string;
  readonly email?: string;
  readonly refresh?: boolean;
  readonly onFailure?: string;
  readonly dryRun?: boolean;
  readonly ifVersion?: number;
  readonly ifMatch?: string;
}
export interface ScaleOptions {
  readonly dryRun?: boolean;
  readonly service?: string;
  readonly count: number;
  readonly onFailure?: string;
}

/** Changes the settings of a tenant and follows what carries that out. */
export function change(context: Context, name: string, options: Waiting & ChangeOptions): Promise<ExitCode> {
  const { refresh, onFailure, name: displayName, email: contactEmail } = options;
  const asked = { displayName, contactEmail, settings: chosenSettings(options), refresh, onFailure };
  const { api } = context;
  if (options.dryRun === true)
    return previewed(context, name, options, async (id) =>
      api.previewChange(id, asked, await tagFor(api, id, options)),
    );
  const isOfDetails = displayName !== undefined || contactEmail !== undefined;
  const send = async (id: string) => api.change(id, asked, await tagFor(api, id, options));
  const saysVersion = options.ifVersion !== undefined || options.ifMatch !== undefined;
  return changed(context, name, options, send, { isOfDetails, saysVersion });
}

/**
 * The tag that goes with a version of the settings: the API compares it in the transaction of the change.
 * @throws OtherVersionError
 */
async function tagFor(api: ApiClient, id: string, { ifMatch, ifVersion }: ChangeOptions): Promise<string | undefined> {
  if (ifVersion === undefined) return ifMatch;
  const { tenant, tag } = await api.getTagged(id);
  if (tag === null) throw new OtherVersionError('the API does not tell versions apart: it is of an earlier release');
  if (tenant.settingsVersion !== ifVersion)
    throw new OtherVersionError(
      `its settings are at version ${tenant.settingsVersion ?? 'unknown'}, not ${ifVersion}; nothing was changed`,
    );
  return tag;
}

/** Changes the number of tasks of a service and follows what carries that out. */
export function scale(context: Context, name: string, options: Waiting & ScaleOptions): Promise<ExitCode> {
  const { service, count, onFailure } = options;
  const asked = { service, count, onFailure };
  if (options.dryRun === true) return previewed(context, name, options, (id) => context.api.previewScaling(id, asked));
  return changed(context, name, options, (tenantId) => context.api.scale(tenantId, asked));
}

export interface ModeOptions {
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly onFailure?: string;
}

/** Suspends a tenant, resumes it or rotates its credentials, and follows what carries that out. */
export function changeMode(
  context: Context,
  verb: ModeVerb,
  name: string,
  options: Waiting & ModeOptions,
): Promise<ExitCode> {
  const { reason, onFailure } = options;
  const asked = { reason, onFailure };
  if (options.dryRun === true)
    return previewed(context, name, options, (id) => context.api.previewMode(id, verb, asked));
  return changed(context, name, options, (tenantId) => context.api.changeMode(tenantId, verb, asked));
}

export interface MigrateOptions extends ModeOptions {
  readonly tier: string;
}

/** Brings a tenant to another tier, and follows that. */
export function migrate(context: Context, name: string, options: Waiting & MigrateOptions): Promise<ExitCode> {
  const { tier, reason, onFailure } = options;
  const asked = { tier, reason, onFailure };
  if (options.dryRun === true)
    return previewed(context, name, options, (id) => context.api.previewMigration(id, asked));
  return changed(context, name, options, (tenantId) => context.api.migrate(tenantId, asked));
}

/** Brings a tenant back to what was applied, and follows that. */
export function repair(
  context: Context,
  name: string,
  options: Waiting & Pick<ModeOptions, 'dryRun' | 'reason'>,
): Promise<ExitCode> {
  if (options.dryRun === true) return previewedRepair(context, name, options);
  const asked = { reason: options.reason };
  return changed(context, name, options, (tenantId) => context.api.repair(tenantId, asked), { isCancellable: false });
}

async function previewedRepair(context: Context, name: string, options: Common): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const tenantId = await subject.idOf(context, name, options);
  const preview = await api.previewRepair(tenantId);
  if (options.json) printJson(terminal, preview);
  else printPreview(terminal, subject, preview, await api.drift(tenantId).catch(() => undefined));
  return exitCodes.done;
}

async function previewed(
  context: Context,
  name: string,
  options: Common,
  ask: (tenantId: string) => Promise<Preview>,
): Promise<ExitCode> {
  return showPreview(context, options, await ask(await context.subject.idOf(context, name, options)));
}

async function changed(
  context: Context,
  name: string,
  options: Waiting,
  send: (tenantId: string) => Promise<Accepted | Tenant>,
  { isCancellable = true, isOfDetails = false, saysVersion = false } = {},
): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const tenantId = await subject.idOf(context, name, options);
  const before = isOfDetails ? await api.get(tenantId) : undefined;
  const after = options.wait ? await lastEventId(api, tenantId) : 0;
  const answer = await requested(context, options, lookAt(context, tenantId), () => send(tenantId), changeSigns(api));
  const { settingsVersion: version } = answer;
  if (saysVersion && version !== undefined && options.json !== true)
    terminal.err.write(`settings version ${version}\n`);
  if ('operationId' in answer)
    return afterAcceptance(context, answer, after, options, { name, good: ['succeeded'], isCancellable });
  if (options.json) printJson(terminal, await subject.unchanged(answer));
  else terminal.out.write(`${changesAtOnce(before, answer)}; the ${subject.noun} is ${answer.status}\n`);
  return exitCodes.done;
}

/** What was changed without an operation, by what the tenant was before. */
function changesAtOnce(before: Tenant | undefined, { contactEmail, displayName }: Tenant): string {
  if (before === undefined) return 'nothing had to be changed';
  const changed = [
    ['name', before.displayName, displayName],
    ['contact', before.contactEmail, contactEmail],
  ].flatMap(([what, from, to]) =>
    from === to ? [] : [`${what} changed from ${oneLine(`${from}`)} to ${oneLine(`${to}`)}`],
  );
  return changed.length === 0 ? 'nothing had to be changed' : changed.join(', ');
}

/** Prints a page of tenants. */
export async function list(context: Context, options: Common & ListOptions): Promise<ExitCode> {
  const { all, fields, json, limit, ...given } = options;
  // Left to the API otherwise: it lists them for a slug or a status.
  const includeGone = all === true ? 'true' : undefined;
  const asked = { ...given, includeGone, limit: limit?.toString() } as const;
  const nextCursor = await listPage(context, asked, { fields, json });
  if (json === true) return exitCodes.done;
  // An API of an earlier release has no freezes.
  for (const frozen of await context.api.freezes().catch(() => []))
    context.terminal.err.write(`frozen: ${freezeLine(frozen)}\n`);
  if (nextCursor !== null) context.terminal.err.write(`more: --cursor ${nextCursor}\n`);
  return exitCodes.done;
}

/** Prints a page. @returns where the next one begins */
async function listPage(
  { api, terminal }: Context,
  asked: ListRequest,
  { fields, json }: Common & Pick<ListOptions, 'fields'>,
): Promise<string | null> {
  if (fields === undefined) {
    const page = await api.list(asked);
    if (json === true) printJson(terminal, page);
    else printTenants(terminal, page.tenants);
    return page.nextCursor;
  }
  const page = await api.listSparsely(asked, fields);
  if (json === true) printJson(terminal, page);
  else printFields(terminal, page.tenants, fields);
  return page.nextCursor;
}

/** Prints a tenant with its newest operation. */
export async function show(context: Context, name: string, options: Common): Promise<ExitCode> {
  const tenantId = await context.subject.idOf(context, name, options);
  const { api, terminal } = context;
  const [tenant, status] = await Promise.all([api.get(tenantId), api.status(tenantId)]);
  if (options.json) {
    printJson(terminal, { ...tenant, ...status });
    return exitCodes.done;
  }
  const differs = (status.drift?.findings ?? 0) > 0;
  // The status has said how many: that they cannot be read now is no failure of it.
  const drift = differs ? await api.drift(tenantId).catch(() => undefined) : undefined;
  const suspended = isSuspended(status.status) ? await suspension(context, tenantId) : undefined;
  printTenant(terminal, tenant, status, { findings: drift?.findings, suspended });
  return exitCodes.done;
}

export interface SettingsLookOptions {
  readonly history?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Prints what was chosen for a tenant: what is desired now, or every choice. */
export async function settings(
  context: Context,
  name: string,
  { history, limit, cursor, ...options }: Common & SettingsLookOptions,
): Promise<ExitCode> {
  const { api, terminal } = context;
  const tenantId = await context.subject.idOf(context, name, options);
  if (history !== true) {
    const { settings: chosen, settingsVersion: version, credentials } = await api.get(tenantId);
    if (options.json) printJson(terminal, { tenantId, version, settings: chosen, credentials });
    else terminal.out.write(`${JSON.stringify(chosen, undefined, 2)}\n`);
    return exitCodes.done;
  }
  const page = await api.settingsHistory(tenantId, { limit: limit?.toString(), cursor });
  if (options.json) printJson(terminal, page);
  else for (const choice of page.history) terminal.out.write(`${choiceLines(context.subject, choice).join('\n')}\n`);
  if (!options.json && page.nextCursor !== null) terminal.err.write(`more: --cursor ${page.nextCursor}\n`);
  return exitCodes.done;
}

function isSuspended(status: string): boolean {
  return status === operationTable[operationTypeAskedBy('suspend')].tenantStatus.succeeded;
}

/** Since when a tenant is suspended, by whom and why, by its events. */
async function suspension({ api }: Context, tenantId: string): Promise<string | undefined> {
  let request: TenantEvent | undefined;
  let since: string | undefined;
  for await (const event of pastEvents(api, tenantId)) {
    const { type, data, at } = event;
    if (type === 'operation.accepted' && data.type === operationTypeAskedBy('suspend')) request = event;
    // A resumption that failed brings it back to where it was.
    if (type === 'tenant.status' && isSuspended(String(data.to)) && event.operationId === request?.operationId)
      since = at;
  }
  if (!request) return undefined;
  const { caller, data } = request;
  const by = caller === undefined ? '' : ` by ${callerText(caller)}`;
  const why = typeof data.reason === 'string' ? `: ${data.reason}` : ', no reason given';
  return `since ${moment(since ?? request.at, Date.now())}${by}${why}`;
}

/** Follows the newest operation of a tenant to its end. */
export async function watch(context: Context, name: string, options: Following): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const tenantId = await subject.idOf(context, name, options);
  const status = await api.status(tenantId);
  const { operationId, type, state: begun } = status.operation;
  const isCancellable = isOneOf(operationTypes, type) && isOneOf(operationTable[type].cancellableIn, begun);
  const show = eventPrinter(context, options);
  noteWorkers(show, status);
  let after = 0;
  const catchUp = async () => {
    for await (const event of pastEvents(api, tenantId, after)) {
      after = event.id;
      if (event.operationId === operationId) show.event(event);
    }
  };
  const follow = async () => {
    await catchUp();
    const operation = await api.operation(tenantId, operationId);
    if (!hasEnded(operation, options.untilHold)) {
      const { event: onEvent, note: onNote } = show;
      const { workers } = status;
      const following = {
        tenantId,
        operationId,
        group: subject.group,
        after,
        onEvent,
        onNote,
        workers,
        untilHold: options.untilHold,
      };
      return followOperation(api, following);
    }
    // Events that came between the two look-ups belong to the picture too.
    await catchUp();
    return operation.state;
  };
  const left = () => ({ ...operationGoesOn(subject, { tenantId, operationId }, isCancellable), finish: show.finish });
  const state = await interruptible(terminal, options, left, follow);
  show.finish();
  return outcome(context, { tenantId, operationId }, state, options, ['succeeded'], 'stream');
}

/** Prints all events of a tenant. */
export async function events(context: Context, name: string, options: Common & { after?: number }): Promise<ExitCode> {
  const tenantId = await context.subject.idOf(context, name, options);
  let view = emptyProgress;
  for await (const event of pastEvents(context.api, tenantId, options.after)) {
    const line = options.json ? JSON.stringify(event) : lineOf(context.subject, event, view.state === 'rolling-back');
    view = advance(view, event);
    if (line !== undefined) context.terminal.out.write(`${line}\n`);
  }
  // The events say what happened; what to do about it depends on where it stands now.
  if (!options.json) printAttention(context.terminal, await context.api.status(tenantId), context.subject.words);
  return exitCodes.done;
}

function lineOf({ event: told, noun }: Subject, event: TenantEvent, goesBack: boolean): string | undefined {
  const said = told(event);
  return said && eventLine(said, goesBack, noun);
}

/** Asks for `retry` or `cancel` and follows what comes of it. */
export async function act(
  context: Context,
  name: string,
  verb: ControlVerb,
  options: Waiting & { readonly dryRun?: boolean },
): Promise<ExitCode> {
  const { subject } = context;
  if (options.dryRun === true)
    return previewed(context, name, options, (id) => subject.previewControl(context, id, verb));
  const tenantId = await subject.idOf(context, name, options);
  const after = options.wait ? await lastEventId(context.api, tenantId) : 0;
  // What is retried goes on forwards only from a hold: a stuck one is taken back.
  const before = verb === 'retry' ? (await context.api.status(tenantId)).operation.state : undefined;
  const isCancellable = before === 'holding';
  const signs = controlSigns(context.api, before === undefined ? cancellableStates : [before]);
  const send = () => subject.control(context, tenantId, verb);
  const accepted = await requested<Acceptance>(context, options, lookAt(context, tenantId), send, signs);
  if (verb === 'cancel')
    return afterAcceptance(context, accepted, after, options, { name, good: ['cancelled', 'rolled-back'] });
  return afterAcceptance(context, accepted, after, options, { name, good: ['succeeded'], isCancellable });
}

/** States in which an operation of some type takes a cancel. */
const cancellableStates = [...new Set(operationTypes.flatMap((type) => operationTable[type].cancellableIn))];

/** Closes a stuck operation without finishing it; nothing to follow. */
export async function abandon(
  context: Context,
  name: string,
  options: Common & { readonly reason: string; readonly dryRun?: boolean },
): Promise<ExitCode> {
  const { api, terminal } = context;
  if (options.dryRun === true)
    return previewed(context, name, options, (id) => api.previewAbandonment(id, options.reason, whoAsks()));
  const tenantId = await context.subject.idOf(context, name, options);
  const operation = await interruptibleRequest(terminal, options, lookAt(context, tenantId), () =>
    api.abandon(tenantId, options.reason, whoAsks()),
  );
  if (options.json) printJson(terminal, operation);
  else {
    terminal.out.write(`abandoned: operation ${operation.operationId}\n`);
    // It is done: that the status cannot be read now is no failure of it.
    const status = await api.status(tenantId).catch(() => undefined);
    if (status) printAttention(terminal, status, context.subject.words);
  }
  return exitCodes.done;
}

export interface RemoveOptions {
  readonly confirm?: string;
  readonly dryRun?: boolean;
  readonly grace?: string;
  readonly export?: boolean;
}

/** Deletes a tenant and follows its deprovisioning; one that waits for the end of its grace period is not followed. */
export async function remove(context: Context, name: string, options: Waiting & RemoveOptions): Promise<ExitCode> {
  const { grace } = options;
  const exported = options.export === true ? ({ export: 'true' } as const) : {};
  if (options.dryRun === true)
    return previewed(context, name, options, (id) => context.api.previewDeletion(id, { grace, ...exported }));
  const tenantId = await context.subject.idOf(context, name, options);
  const after = options.wait ? await lastEventId(context.api, tenantId) : 0;
  const confirm = options.confirm ?? (await confirmedSlug(context, tenantId, options));
  const send = () => context.api.delete(tenantId, confirm, { grace, ...exported });
  const answer = await requested(context, options, lookAt(context, tenantId), send, deletionSigns(context.api));
  if ('operationId' in answer) {
    const wait = options.wait && typeof answer.deletesAt !== 'string';
    if (answer.finalDump && options.json !== true) context.terminal.err.write(`${answer.finalDump.detail}\n`);
    return afterAcceptance(context, answer, after, { ...options, wait }, { name, good: ['succeeded'] });
  }
  if (options.json) printJson(context.terminal, answer);
  else context.terminal.out.write(`${answer.slug}: nothing was left of it, ${answer.status}\n`);
  return exitCodes.done;
}

function lookAt({ subject }: Context, tenantId: string): string {
  return `tenantry ${subject.group} show ${tenantId}`;
}

/** For the audit trail, `user@host`: the API does not know its callers yet. */
function whoAsks(): string | undefined {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return undefined; // a user id without a name, as in some containers
  }
}
