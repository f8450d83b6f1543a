import { registerCertificate } from './certificate.ts';
import type { CheckedCommand } from './checked-command.ts';
import { LONGEST_PAGE, untilHold, type CommandParts } from './command-parts.ts';
import type { Common, Following, Waiting } from './context.ts';
import { printOperations } from './operations.ts';
import { wholeNumber } from './option-values.ts';
import type { Subject } from './subject.ts';
import * as actions from './tenant-actions.ts';

type Noun = Subject['noun'];

/** Commands on the open operation: of tenants, and of the accounts that tenants are. */
export function registerControls({ command, context, setExitCode }: CommandParts, noun: Noun): void {
  for (const verb of ['retry', 'cancel'] as const) {
    const what =
      verb === 'retry'
        ? 'resume an operation that is on hold or stuck: its failed steps run again'
        : `cancel the open operation: a creation is removed again; after a change, or a deletion in its grace period, the ${noun} is as before`;
    const control = waiting(command(`${verb} <${noun}>`, what));
    if (verb === 'retry') control.addOption(untilHold()).contradict('--until-hold', '--no-wait');
    control.action(async (name: string, options: Waiting & { readonly dryRun?: boolean }) =>
      setExitCode(await actions.act(context(), name, verb, options)),
    );
  }

  command(
    `abandon <${noun}>`,
    'close a stuck operation without finishing it; what is left or missing stays so until a repair or a deletion',
  )
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'print what would stay, and change nothing')
    .action(async (name: string, options: Common & { readonly reason: string; readonly dryRun?: boolean }) =>
      setExitCode(await actions.abandon(context(), name, options)),
    );
}

export function registerRepair({ command, context, setExitCode }: CommandParts, noun: Noun): void {
  waiting(
    command(
      `repair <${noun}>`,
      `bring everything of an active ${noun} back to what was applied, whatever was changed or deleted by hand`,
    ).option('--reason <text>', 'why, for the audit trail'),
  ).action(async (name: string, options: Waiting & actions.ModeOptions) =>
    setExitCode(await actions.repair(context(), name, options)),
  );
}

/** Gives a command that continues, or undoes, what is known already the options of whether it does, and follows that. */
function waiting(command: CheckedCommand): CheckedCommand {
  return command
    .option('--dry-run', 'print what would become of each step, and change nothing')
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .contradict('--wait', '--no-wait');
}

/** Commands that tell what happened. */
export function registerHistory({ command, context, setExitCode }: CommandParts, noun: Noun): void {
  const an = noun === 'account' ? 'an account' : 'a tenant';
  command(`settings <${noun}>`, `print what is chosen for ${an}, or every choice that was made`)
    .option('--history', 'every choice, newest first: who, when, what it changed and what became of it')
    .option('--limit <n>', `choices per page of the history, 1 to ${LONGEST_PAGE}`, wholeNumber(1, LONGEST_PAGE))
    .option('--cursor <cursor>', 'start after the page that ended with this cursor')
    .action(async (name: string, options: Common & actions.SettingsLookOptions) =>
      setExitCode(await actions.settings(context(), name, options)),
    );

  command(`watch <${noun}>`, `follow the newest operation of ${an} until it ends (JSON: a line per event)`)
    .addOption(untilHold())
    .action(async (name: string, options: Following) => setExitCode(await actions.watch(context(), name, options)));

  command(`events <${noun}>`, `print what happened to ${an} (JSON: a line per event)`)
    .option('--after <id>', 'only events after this one, 0 or more', wholeNumber(0))
    .action(async (name: string, options: Common & { after?: number }) =>
      setExitCode(await actions.events(context(), name, options)),
    );

  command(`operations <${noun}>`, `list the operations of ${an}, newest first`).action(
    async (name: string, options: Common) => setExitCode(await printOperations(context(), name, options)),
  );

  registerCertificate(
    command(`certificate [${noun}]`, 'print the signed certificate of a deletion, or verify one'),
    context,
    setExitCode,
  );
}
