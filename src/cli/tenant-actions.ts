import type { EventView } from '../client/views.ts';
import type { OperationState } from '../contracts/operation-state.ts';
import type { Accepted, ApiClient } from './api-client.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { followOperation, lastEventId, pastEvents } from './following.ts';
import { printJson, printLeftovers, printTenant, printTenants, type Terminal } from './output.ts';
import { createProgressPrinter, eventLine, isFinal } from './progress.ts';

/** Options that every command has. */
export interface Common {
  readonly json?: boolean;
}
/** Options of commands that start something. */
export interface Waiting extends Common {
  readonly wait: boolean;
}

/** What the commands work with. */
export interface Context {
  readonly api: ApiClient;
  readonly terminal: Terminal;
}
export interface CreateOptions {
  readonly product: string;
  readonly slug: string;
  readonly name: string;
  readonly email: string;
  readonly tier?: string;
  readonly onFailure?: string;
}
export interface ListOptions {
  readonly product?: string;
  readonly status?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

/** Creates a tenant and follows its provisioning. @throws ApiError, ApiUnreachableError (all commands) */
export async function create(context: Context, options: Waiting & CreateOptions): Promise<ExitCode> {
  const accepted = await context.api.create({
    product: options.product,
    slug: options.slug,
    displayName: options.name,
    contactEmail: options.email,
    tier: options.tier,
    onFailure: options.onFailure,
  });
  return afterAcceptance(context, accepted, 0, options, ['succeeded']);
}

/** Prints a page of tenants. */
export async function list(context: Context, options: Common & ListOptions): Promise<ExitCode> {
  const { product, status, limit, cursor } = options;
  const page = await context.api.list({ product, status, limit, cursor });
  if (options.json) {
    printJson(context.terminal, page);
    return exitCodes.done;
  }
  printTenants(context.terminal, page.tenants);
  if (page.nextCursor !== null) context.terminal.err.write(`more: --cursor ${page.nextCursor}\n`);
  return exitCodes.done;
}

/** Prints a tenant with its newest operation. */
export async function show(context: Context, tenantId: string, options: Common): Promise<ExitCode> {
  const [tenant, status] = await Promise.all([context.api.get(tenantId), context.api.status(tenantId)]);
  if (options.json) printJson(context.terminal, { ...tenant, ...status });
  else printTenant(context.terminal, tenant, status);
  return exitCodes.done;
}

/** Follows the newest operation of a tenant to its end. */
export async function watch(context: Context, tenantId: string, options: Common): Promise<ExitCode> {
  const { api, terminal } = context;
  const { operationId } = (await api.status(tenantId)).operation;
  const show = eventPrinter(terminal, options);
  let after = 0;
  const catchUp = async () => {
    for await (const event of pastEvents(api, tenantId, after)) {
      after = event.id;
      if (event.operationId === operationId) show.event(event);
    }
  };
  await catchUp();
  let { state } = await api.operation(tenantId, operationId);
  // Events that came between the two look-ups belong to the picture too.
  if (isFinal(state)) await catchUp();
  else
    state = await followOperation(api, {
      tenantId,
      operationId,
      after,
      onEvent: show.event,
      onInterruption: show.note,
    });
  show.finish();
  return outcome(context, tenantId, state, options, ['succeeded'], 'stream');
}

/** Prints all events of a tenant. */
export async function events(
  context: Context,
  tenantId: string,
  options: Common & { after?: string },
): Promise<ExitCode> {
  const after = Number(options.after ?? 0);
  for await (const event of pastEvents(context.api, tenantId, after)) {
    const line = options.json ? JSON.stringify(event) : eventLine(event);
    if (line !== undefined) context.terminal.out.write(`${line}\n`);
  }
  return exitCodes.done;
}

/** Asks for `retry` or `cancel` and follows what comes of it. */
export async function act(
  context: Context,
  tenantId: string,
  verb: 'retry' | 'cancel',
  options: Waiting,
): Promise<ExitCode> {
  const after = options.wait ? await lastEventId(context.api, tenantId) : 0;
  const accepted = await context.api[verb](tenantId);
  return afterAcceptance(
    context,
    accepted,
    after,
    options,
    verb === 'retry' ? ['succeeded'] : ['cancelled', 'rolled-back'],
  );
}

/** Closes a stuck operation as it is; nothing to follow. */
export async function abandon(
  { api, terminal }: Context,
  tenantId: string,
  options: Common & { reason: string },
): Promise<ExitCode> {
  const operation = await api.abandon(tenantId, options.reason);
  if (options.json) printJson(terminal, operation);
  else {
    terminal.out.write(`abandoned: operation ${operation.operationId}\n`);
    printLeftovers(terminal, operation);
  }
  return exitCodes.done;
}

/** Deletes a tenant and follows its deprovisioning. */
export async function remove(
  context: Context,
  tenantId: string,
  options: Waiting & { confirm?: string },
): Promise<ExitCode> {
  const after = options.wait ? await lastEventId(context.api, tenantId) : 0;
  const answer = await context.api.delete(tenantId, options.confirm);
  if ('operationId' in answer) return afterAcceptance(context, answer, after, options, ['succeeded']);
  if (options.json) printJson(context.terminal, answer);
  else context.terminal.out.write(`${answer.slug}: nothing was left of it, ${answer.status}\n`);
  return exitCodes.done;
}

async function afterAcceptance(
  context: Context,
  accepted: Accepted,
  after: number,
  options: Waiting,
  good: readonly OperationState[],
): Promise<ExitCode> {
  const { api, terminal } = context;
  const { tenantId, operationId } = accepted;
  if (!options.wait) {
    if (options.json) printJson(terminal, accepted);
    else terminal.out.write(`accepted: tenant ${tenantId}, operation ${operationId}\n${accepted.tenantUrl}\n`);
    return exitCodes.done;
  }
  const show = options.json ? silent : eventPrinter(terminal, options);
  show.note(`tenant ${tenantId}, operation ${operationId}`);
  const state = await followOperation(api, {
    tenantId,
    operationId,
    after,
    onEvent: show.event,
    onInterruption: show.note,
  });
  show.finish();
  return outcome(context, tenantId, state, options, good, 'document');
}

async function outcome(
  context: Context,
  tenantId: string,
  state: OperationState,
  options: Common,
  good: readonly OperationState[],
  json: 'document' | 'stream',
): Promise<ExitCode> {
  const status = await context.api.status(tenantId);
  if (options.json) {
    if (json === 'document') printJson(context.terminal, status);
  } else {
    const failure = status.error === undefined ? '' : `: ${status.error.code}: ${status.error.message}`;
    context.terminal.out.write(`${state}${failure}; the tenant is ${status.status}\n`);
    if (status.status === 'active') context.terminal.out.write(`${status.tenantUrl}\n`);
    printLeftovers(context.terminal, status);
    if (state === 'stuck') context.terminal.out.write(`mend the cause, then: tenantry tenants retry ${tenantId}\n`);
  }
  return good.includes(state) ? exitCodes.done : exitCodes.failed;
}

interface EventPrinter {
  readonly event: (event: EventView) => void;
  readonly note: (text: string) => void;
  readonly finish: () => void;
}

const silent: EventPrinter = { event: () => undefined, note: () => undefined, finish: () => undefined };

function eventPrinter(terminal: Terminal, options: Common): EventPrinter {
  if (options.json) {
    return {
      event: (event) => printJson(terminal, event),
      note: (text) => void terminal.err.write(`${text}\n`),
      finish: () => undefined,
    };
  }
  const printer = createProgressPrinter(terminal.out);
  return {
    event: (event) => {
      printer.event(event);
      if (event.type === 'operation.state' && event.data.to === 'holding') printer.note(holdingHint(event.tenantId));
    },
    note: (text) => printer.note(text),
    finish: () => void printer.finish(),
  };
}

function holdingHint(tenantId: string): string {
  return `it holds: mend the cause, then \`tenantry tenants retry ${tenantId}\`; \`tenants cancel\` takes it back at once`;
}
