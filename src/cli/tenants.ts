import { Option, type Command } from 'commander';
import { loadApiUrl } from '../config.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import { createApiClient } from './api-client.ts';
import { exitCodesHelp, type ExitCode } from './exit-codes.ts';
import type { Terminal } from './output.ts';
import * as actions from './tenant-actions.ts';

/** How a command ended; the caller sets the process's exit code. */
export type SetExitCode = (code: ExitCode) => void;

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
  const context = (): actions.Context => ({ api: createApiClient(loadApiUrl()), terminal });
  const parts = { command, context, setExitCode };
  registerCreation(parts);
  registerLooks(parts);
  registerOperatorCommands(parts);
}

/** What the commands are made with. */
interface CommandParts {
  readonly command: (name: string, description: string) => Command;
  readonly context: () => actions.Context;
  readonly setExitCode: SetExitCode;
}

function registerCreation({ command, context, setExitCode }: CommandParts): void {
  command('create', 'create a tenant')
    .requiredOption('--product <name>', 'product, such as moamalat')
    .requiredOption('--slug <slug>', 'DNS label of the tenant, unique in its product')
    .requiredOption('--name <text>', 'name of the tenant, for people')
    .requiredOption('--email <address>', 'where the welcome mail goes')
    .option('--tier <tier>', 'size inside the product, where it has tiers')
    .addOption(new Option('--on-failure <what>', 'what a failure does').choices(['hold', 'rollback']))
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .action(async (options: actions.Waiting & actions.CreateOptions) =>
      setExitCode(await actions.create(context(), options)),
    );
}

function registerLooks({ command, context, setExitCode }: CommandParts): void {
  command('list', 'list tenants, newest first')
    .option('--product <name>', 'only of this product')
    .addOption(new Option('--status <status>', 'only in this status').choices(tenantStatuses))
    .option('--limit <n>', 'tenants per page')
    .option('--cursor <cursor>', 'go on after the page that ended with this cursor')
    .action(async (options: actions.Common & actions.ListOptions) =>
      setExitCode(await actions.list(context(), options)),
    );

  command('show <tenantId>', 'show a tenant and its newest operation').action(
    async (tenantId: string, options: actions.Common) => setExitCode(await actions.show(context(), tenantId, options)),
  );

  command('watch <tenantId>', 'follow the newest operation of a tenant until it ends (JSON: a line per event)').action(
    async (tenantId: string, options: actions.Common) => setExitCode(await actions.watch(context(), tenantId, options)),
  );

  command('events <tenantId>', 'print what happened to a tenant (JSON: a line per event)')
    .option('--after <id>', 'only events after this one')
    .action(async (tenantId: string, options: actions.Common & { after?: string }) =>
      setExitCode(await actions.events(context(), tenantId, options)),
    );
}

function registerOperatorCommands({ command, context, setExitCode }: CommandParts): void {
  for (const verb of ['retry', 'cancel'] as const) {
    const what = verb === 'retry' ? 'go on with what holds or is stuck' : 'take the open operation back';
    command(`${verb} <tenantId>`, what)
      .option('--wait', 'follow until it is done', true)
      .option('--no-wait', 'return as soon as it is accepted')
      .action(async (tenantId: string, options: actions.Waiting) =>
        setExitCode(await actions.act(context(), tenantId, verb, options)),
      );
  }

  command('abandon <tenantId>', 'close a stuck operation as it is; what is left stays until the tenant is deleted')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .action(async (tenantId: string, options: actions.Common & { reason: string }) =>
      setExitCode(await actions.abandon(context(), tenantId, options)),
    );

  command('delete <tenantId>', 'remove a tenant and everything it consists of')
    .option('--confirm <slug>', 'the slug of the tenant, repeated')
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .action(async (tenantId: string, options: actions.Waiting & { confirm?: string }) =>
      setExitCode(await actions.remove(context(), tenantId, options)),
    );
}
