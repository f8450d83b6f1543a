import { Option, type Command } from 'commander';
import { loadApiUrl } from '../config.ts';
import type { OperationState } from '../contracts/operation-state.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import { createApiClient, type Accepted, type ApiClient } from './api-client.ts';
import { exitCodes, exitCodesHelp, type ExitCode } from './exit-codes.ts';
import { followOperation, lastEventId, pastEvents } from './following.ts';
import { printJson, printLeftovers, printTenant, printTenants, type Terminal } from './output.ts';
import { createProgressPrinter, eventLine, isFinal } from './progress.ts';

/** How a command ended; the caller sets the process's exit code. */
export type SetExitCode = (code: ExitCode) => void;

interface Common {
  readonly json?: boolean;
}
interface Waiting extends Common {
  readonly wait: boolean;
}

/** The commands on tenants; they speak HTTP with the API at `TENANTRY_API_URL`. */
export function registerTenants(program: Command, terminal: Terminal, setExitCode: SetExitCode): void {
  const tenants = program
    .command('tenants')
    .description('create, follow, mend and remove tenants, through the API at TENANTRY_API_URL')
    .addHelpText(
      'after',
      `${exitCodesHelp}\n\nEnvironment:\n  TENANTRY_API_URL  address of the API (default http://127.0.0.1:3006)`,
    );
  const command = (name: string, description: string) =>
    tenants
      .command(name)
      .description(description)
      .option('--json', 'print JSON, for programs')
      .addHelpText('after', exitCodesHelp);
  const context = (): Context => ({ api: createApiClient(loadApiUrl()), terminal });

  command('create', 'create a tenant')
    .requiredOption('--product <name>', 'product, such as moamalat')
    .requiredOption('--slug <slug>', 'DNS label of the tenant, unique in its product')
    .requiredOption('--name <text>', 'name of the tenant, for people')
    .requiredOption('--email <address>', 'where the welcome mail goes')
    .option('--tier <tier>', 'size inside the product, where it has tiers')
    .addOption(new Option('--on-failure <what>', 'what a failure does').choices(['hold', 'rollback']))
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .action(async (options: Waiting & CreateOptions) => setExitCode(await create(context(), options)));

  command('list', 'list tenants, newest first')
    .option('--product <name>', 'only of this product')
    .addOption(new Option('--status <status>', 'only in this status').choices(tenantStatuses))
    .option('--limit <n>', 'tenants per page')
    .option('--cursor <cursor>', 'go on after the page that ended with this cursor')
    .action(async (options: Common & ListOptions) => setExitCode(await list(context(), options)));

  command('show <tenantId>', 'show a tenant and its newest operation').action(
    async (tenantId: string, options: Common) => setExitCode(await show(context(), tenantId, options)),
  );

  command('watch <tenantId>', 'follow the newest operation of a tenant until it ends (JSON: a line per event)').action(
    async (tenantId: string, options: Common) => setExitCode(await watch(context(), tenantId, options)),
  );

  command('events <tenantId>', 'print what happened to a tenant (JSON: a line per event)')
    .option('--after <id>', 'only events after this one')
    .action(async (tenantId: string, options: Common & { after?: string }) =>
      setExitCode(await events(context(), tenantId, options)),
    );

  for (const verb of ['retry', 'cancel'] as const) {
    const what = verb === 'retry' ? 'go on with what holds or is stuck' : 'take the open operation back';
    command(`${verb} <tenantId>`, what)
      .option('--wait', 'follow until it is done', true)
      .option('--no-wait', 'return as soon as it is accepted')
      .action(async (tenantId: string, options: Waiting) => setExitCode(await act(context(), tenantId, verb, options)));
  }

  command('delete <tenantId>', 'remove a tenant and everything it consists of')
    .option('--confirm <slug>', 'the slug of the tenant, repeated')
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .action(async (tenantId: string, options: Waiting & { confirm?: string }) =>
      setExitCode(await remove(context(), tenantId, options)),
    );
}

interface Context {
  readonly api: ApiClient;
  readonly terminal: Terminal;
}
interface CreateOptions {
  readonly product: string;
  readonly slug: string;
  readonly name: string;
  readonly email: string;
  readonly tier?: string;
  readonly onFailure?: string;
}
interface ListOptions {
  readonly product?: string;
  readonly status?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

async function create(context: Context, options: Waiting & CreateOptions): Promise<ExitCode> {
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

async function list(context: Context, options: Common & ListOptions): Promise<ExitCode> {
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

async function show(context: Context, tenantId: string, options: Common): Promise<ExitCode> {
  const [tenant, status] = await Promise.all([context.api.get(tenantId), context.api.status(tenantId)]);
  if (options.json) printJson(context.terminal, { ...tenant, ...status });
  else printTenant(context.terminal, tenant, status);
  return exitCodes.done;
}

async function watch(context: Context, tenantId: string, options: Common): Promise<ExitCode> {
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

async function events(context: Context, tenantId: string, options: Common & { after?: string }): Promise<ExitCode> {
  const after = Number(options.after ?? 0);
  for await (const event of pastEvents(context.api, tenantId, after)) {
    const line = options.json ? JSON.stringify(event) : eventLine(event);
    if (line !== undefined) context.terminal.out.write(`${line}\n`);
  }
  return exitCodes.done;
}

async function act(context: Context, tenantId: string, verb: 'retry' | 'cancel', options: Waiting): Promise<ExitCode> {
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

async function remove(context: Context, tenantId: string, options: Waiting & { confirm?: string }): Promise<ExitCode> {
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
  }
  return good.includes(state) ? exitCodes.done : exitCodes.failed;
}

interface EventPrinter {
  readonly event: (event: Parameters<typeof eventLine>[0]) => void;
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
    event: (event) => printer.event(event),
    note: (text) => printer.note(text),
    finish: () => void printer.finish(),
  };
}
