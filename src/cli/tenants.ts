import { Option } from 'commander';
import type { CheckedCommand } from './checked-command.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { listedTenantFields } from '../api/schemas/lists.ts';
import { driftFilters, healthFilters, tenantSorts } from '../contracts/tenant-list.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import {
  commandIn,
  deletion,
  changing,
  followed,
  LONGEST_PAGE,
  type CommandParts,
  type SetExitCode,
} from './command-parts.ts';
import { showAvailability, type AvailabilityOptions } from './availability.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodesHelp } from './exit-codes.ts';
import type { Common, Context, Waiting } from './context.ts';
import { contactEmail, displayName, oneOrSeveral, slug, wholeNumber } from './option-values.ts';
import { isolate, liftIsolation, type IsolationOptions } from './isolation.ts';
import type { Terminal } from './output.ts';
import { registerControls, registerHistory, registerRepair } from './shared-commands.ts';
import { addSettingsOptions } from './settings-options.ts';
import { tenantSubject } from './subject.ts';
import * as actions from './tenant-actions.ts';

/** The commands on tenants; they speak HTTP with the API at `TENANTRY_API_URL`. */
export function registerTenants(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  const tenants = program
    .command('tenants')
    .description('create, follow, repair and remove tenants, through the API at TENANTRY_API_URL')
    .addHelpText(
      'after',
      `${exitCodesHelp}\n\nA <tenant> is an id, a slug, or product/slug. A slug means the tenant that has it now, else the one that had it last.\n\nEnvironment:\n  TENANTRY_API_URL    address of the API (default http://127.0.0.1:3006)\n  TENANTRY_API_TOKEN  token or service key of the caller; without it the sign-in of \`tenantry login\`, if any`,
    );
  const context = (): Context => ({ api: environmentApi(), terminal, subject: tenantSubject });
  const parts = { command: commandIn(tenants), context, setExitCode };
  registerCreation(parts);
  registerChanges(parts);
  registerLooks(parts);
  registerHistory(parts, 'tenant');
  registerControls(parts, 'tenant');
  registerRepair(parts, 'tenant');
  registerDeletion(parts);
  registerIsolation(parts);
  const preview = tenants
    .command('preview')
    .description('say what a command would do, and do nothing: the same as the command with --dry-run');
  const previewed = (name: string, description: string) => {
    const made = commandIn(preview)(name, description);
    made.setOptionValue('dryRun', true);
    return made;
  };
  registerPreviewable({ ...parts, command: previewed });
}

/** The commands that take `--dry-run`. */
function registerPreviewable(parts: CommandParts): void {
  registerCreation(parts);
  registerChanges(parts);
  registerRepair(parts, 'tenant');
  registerDeletion(parts);
  registerControls(parts, 'tenant');
  registerIsolation(parts);
}

function registerCreation({ command, context, setExitCode }: CommandParts): void {
  const creation = addSettingsOptions(command('create', 'create a tenant'))
    .requiredOption('--product <name>', 'product, such as moamalat')
    .option(
      '--slug <slug>',
      'DNS label of the tenant, unique in its product; left out where its tenants have their ids for slugs',
      slug,
    )
    .neededUnless('--slug', "unless the product's tenants have their ids for slugs")
    .requiredOption('--name <text>', 'name of the tenant, for people', displayName)
    .requiredOption('--email <address>', 'where the welcome mail goes', contactEmail)
    .option('--tier <tier>', 'size inside the product, where it has tiers')
    .option('--cell <id>', 'cell that it must be in (default: the first that serves the product and has room)')
    .addOption(new Option('--on-failure <what>', 'what a failure does').choices(['hold', 'rollback']))
    .option('--dry-run', 'print what would be made, and make nothing');
  followed(creation).action(async (options: Waiting & actions.CreateOptions) =>
    setExitCode(await actions.create(context(), options)),
  );
}

function registerChanges({ command, context, setExitCode }: CommandParts): void {
  changing(
    addSettingsOptions(command('update <tenant>', 'change the settings of an active tenant: images, sizes, counts'))
      .option('--refresh', 'also clone from the templates as they are now, and bring tenant migrations up to date')
      .option('--name <text>', 'name of the tenant, for people: changed at once, without other options', displayName)
      .option('--email <address>', 'who is written to: changed at once, without other options', contactEmail)
      .option(
        '--if-version <n>',
        'only while this is the version of its settings (name and e-mail have none)',
        wholeNumber(1),
      )
      .addOption(
        new Option('--if-match <etag>', 'only while the ETag that the API gives the tenant is this one').conflicts(
          'ifVersion',
        ),
      ),
  ).action(async (tenant: string, options: Waiting & actions.ChangeOptions) =>
    setExitCode(await actions.change(context(), tenant, options)),
  );

  changing(
    command('scale <tenant>', "change the number of tasks of one of an active tenant's services")
      .option('--service <name>', 'service, such as backend; may be left out where the product has one')
      .requiredOption('--count <n>', 'tasks that it is to have', wholeNumber(0)),
  ).action(async (tenant: string, options: Waiting & actions.ScaleOptions) =>
    setExitCode(await actions.scale(context(), tenant, options)),
  );

  changing(
    command('migrate <tenant>', 'bring an active tenant to another tier, by a change that its product declares')
      .requiredOption('--tier <tier>', 'tier that it is to be in')
      .option('--reason <text>', 'why, for the audit trail'),
  ).action(async (tenant: string, options: Waiting & actions.MigrateOptions) =>
    setExitCode(await actions.migrate(context(), tenant, options)),
  );

  for (const [verb, what] of [
    ['suspend', 'take an active tenant out of service: a notice answers, and nothing of it runs'],
    ['resume', 'bring a suspended tenant back as it was'],
    ['rotate', "give an active tenant's services new credentials, and revoke the ones that they have"],
  ] as const)
    changing(command(`${verb} <tenant>`, what).option('--reason <text>', 'why, for the audit trail')).action(
      async (tenant: string, options: Waiting & actions.ModeOptions) =>
        setExitCode(await actions.changeMode(context(), verb, tenant, options)),
    );
}

function registerLooks({ command, context, setExitCode }: CommandParts): void {
  const several = (flags: string, description: string, values: readonly string[]) =>
    new Option(flags, description).choices(values).argParser(oneOrSeveral(values));
  command('list', 'list tenants, newest first unless --sort says otherwise')
    .option('--product <name>', 'only of this product')
    .option('--slug <slug>', 'only with this slug')
    .option('--all', 'also tenants of which nothing is left')
    .addOption(several('--status <status>', 'only in this status; several with commas between', tenantStatuses))
    .option('--text <text>', 'only with this text in their slug, name or e-mail address')
    .addOption(several('--health <status>', 'only of this health; several with commas between', healthFilters))
    .addOption(new Option('--drift <answer>', 'whether they are not as they were applied').choices(driftFilters))
    .addOption(
      new Option('--operation <state>', 'only with an open operation in this state').choices(openOperationStates),
    )
    .addOption(new Option('--sort <field>', 'in this order; -: descending').choices(tenantSorts))
    .addOption(several('--fields <fields>', 'only these fields, with commas between, and the id', listedTenantFields))
    .option('--limit <n>', `tenants per page, 1 to ${LONGEST_PAGE}`, wholeNumber(1, LONGEST_PAGE))
    .option('--cursor <cursor>', 'start after the page that ended with this cursor')
    .action(async (options: Common & actions.ListOptions) => setExitCode(await actions.list(context(), options)));

  command('available <slug>', 'say whether a slug can be had; nothing is reserved (exit code 4: it cannot)')
    .option('--product <name>', 'for a tenant of this product (default: of each whose slugs are chosen)')
    .action(async (name: string, options: Common & AvailabilityOptions) =>
      setExitCode(await showAvailability(context(), name, options)),
    );

  command('show <tenant>', 'show a tenant and its newest operation').action(async (tenant: string, options: Common) =>
    setExitCode(await actions.show(context(), tenant, options)),
  );
}

function registerIsolation({ command, context, setExitCode }: CommandParts): void {
  const waiting = (described: CheckedCommand) =>
    described
      .option('--dry-run', 'print the rule that it is about, and change nothing')
      .option('--wait', 'return once it is in effect', true)
      .option('--no-wait', 'return as soon as it is accepted')
      .contradict('--wait', '--no-wait');
  waiting(
    command(
      'isolate <tenant>',
      'let a notice (503) answer in the place of a tenant at once, whatever is open, stuck or frozen',
    ).requiredOption('--reason <text>', 'why, for the audit trail'),
  ).action(async (tenant: string, options: IsolationOptions & { reason: string }) =>
    setExitCode(await isolate(context(), tenant, options)),
  );
  waiting(command('lift-isolation <tenant>', "take the notice of a tenant's isolation away")).action(
    async (tenant: string, options: IsolationOptions) => setExitCode(await liftIsolation(context(), tenant, options)),
  );
}

function registerDeletion({ command, context, setExitCode }: CommandParts): void {
  deletion(
    command(
      'delete <tenant>',
      'remove a tenant with all its resources and data; its slug stays reserved for 30 days if it was ever active',
    ).option('--confirm <slug>', 'the slug of the tenant, repeated (asked for on a terminal)'),
  ).action(async (tenant: string, options: Waiting & actions.RemoveOptions) =>
    setExitCode(await actions.remove(context(), tenant, options)),
  );
}
