import { Option } from 'commander';
import { loadApiUrl } from '../config.ts';
import { cloudTypes } from '../products/accounts/cloud-types.ts';
import { provisioningStatuses } from '../products/accounts/provisioning-status.ts';
import * as actions from './account-actions.ts';
import * as changes from './account-changes.ts';
import type { AccountsContext } from './account-following.ts';
import { addAccountOptions, addChangeOptions } from './account-options.ts';
import { accountSubject } from './account-subject.ts';
import { createAccountsClient } from './accounts-client.ts';
import type { CheckedCommand } from './checked-command.ts';
import { commandIn, deletion, followed, LONGEST_PAGE, type SetExitCode } from './command-parts.ts';
import type { Common, Waiting } from './context.ts';
import { credentialsFor } from './credentials.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodesHelp } from './exit-codes.ts';
import { requestKey, wholeNumber } from './option-values.ts';
import type { Terminal } from './output.ts';
import type { RemoveOptions } from './tenant-actions.ts';
import { registerControls, registerHistory, registerRepair } from './shared-commands.ts';

/** The commands on accounts; they speak HTTP with the API at `TENANTRY_API_URL`. */
export function registerAccounts(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  const group = program
    .command('accounts')
    .description('create, change, follow and remove accounts, through the API at TENANTRY_API_URL')
    .addHelpText(
      'after',
      `${exitCodesHelp}\n\nAn <account> is an id. An account is a tenant of the product accounts: the commands on tenants take it, too.`,
    );
  const command = commandIn(group);
  const context = (): AccountsContext => {
    const url = loadApiUrl();
    const accounts = createAccountsClient(url, credentialsFor(url));
    return { api: environmentApi(), accounts, terminal, subject: accountSubject(accounts) };
  };

  followed(
    addAccountOptions(command('create', 'create an account'))
      .option('--dry-run', 'print what would be made, and make nothing')
      .option(
        '--idempotency-key <key>',
        'under which it is made once: the one that an earlier run printed, whose outcome is not known (default: a new one)',
        requestKey,
      )
      .contradict('--idempotency-key', '--dry-run'),
  ).action(async (options: Waiting & actions.CreateOptions) => setExitCode(await actions.create(context(), options)));

  command('list', 'list accounts, newest first')
    .addOption(new Option('--cloud-type <type>', 'only of this cloud type').choices(cloudTypes))
    .addOption(new Option('--status <status>', 'only in this provisioning status').choices(provisioningStatuses))
    .option('--all', 'also accounts of which nothing is left')
    .option('--limit <n>', `accounts per page, 1 to ${LONGEST_PAGE}`, wholeNumber(1, LONGEST_PAGE))
    .option('--cursor <cursor>', 'start after the page that ended with this cursor')
    .action(async (options: Common & actions.ListOptions) => setExitCode(await actions.list(context(), options)));

  command('show <account>', 'show an account').action(async (account: string, options: Common) =>
    setExitCode(await actions.show(context(), account, options)),
  );

  command('status <account>', 'show how far the newest operation of an account is').action(
    async (account: string, options: Common) => setExitCode(await actions.status(context(), account, options)),
  );

  const parts = { command, context, setExitCode };
  registerHistory(parts, 'account');

  followed(
    addChangeOptions(
      command('update <account>', 'change what an active account says of itself, or its licenses'),
    ).option('--dry-run', 'print what would become of each step, and change nothing'),
  ).action(async (account: string, options: Waiting & changes.UpdateOptions) =>
    setExitCode(await changes.update(context(), account, options)),
  );

  followed(
    command('move <account>', 'move a public account to a table of its own, while services use it')
      .option('--reason <text>', 'why, for the audit trail')
      .option('--dry-run', 'print what would become of each step, and change nothing'),
  ).action(async (account: string, options: Waiting & changes.MoveOptions) =>
    setExitCode(await changes.move(context(), account, options)),
  );

  registerRepair(parts, 'account');
  registerControls(parts, 'account');

  deletion(
    command('delete <account>', 'remove an account with all its rows, and its table if it has one of its own').option(
      '--confirm <id>',
      'the id of the account, typed back (asked for on a terminal)',
    ),
  ).action(async (account: string, options: Waiting & RemoveOptions) =>
    setExitCode(await actions.remove(context(), account, options)),
  );
}
