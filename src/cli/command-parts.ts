import { Option } from 'commander';
import type { CheckedCommand } from './checked-command.ts';
import type { Context } from './context.ts';
import { exitCodesHelp, type ExitCode } from './exit-codes.ts';
import { grace } from './option-values.ts';

/** The API's longest page. */
export const LONGEST_PAGE = 200;

/** How a command ended; the caller sets the process's exit code. */
export type SetExitCode = (code: ExitCode) => void;

/** What the commands of a group are made with. */
export interface CommandParts<C = Context> {
  readonly command: (name: string, description: string) => CheckedCommand;
  readonly context: () => C;
  readonly setExitCode: SetExitCode;
}

/** Makes the commands of a group: each takes `--json` and tells its exit codes. */
export function commandIn(group: CheckedCommand): CommandParts['command'] {
  return (name, description) =>
    group
      .command(name)
      .description(description)
      .option('--json', 'print JSON, for programs')
      .addHelpText('after', exitCodesHelp);
}

/** Gives a command that starts something the options of whether it follows that. */
export function followed(command: CheckedCommand): CheckedCommand {
  return command
    .option('--wait', 'follow until it is done', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .addOption(untilHold())
    .contradict('--wait', '--no-wait')
    .contradict('--until-hold', '--no-wait');
}

/** Gives a command that changes an active tenant its options, and those of whether it follows that. */
export function changing(command: CheckedCommand): CheckedCommand {
  return followed(
    command
      .addOption(
        new Option('--on-failure <what>', 'what a failure does (default: rollback)').choices(['hold', 'rollback']),
      )
      .option('--dry-run', 'print what would become of each step, and change nothing'),
  );
}

/** Gives a command that deletes a tenant its options, besides how that is confirmed. */
export function deletion(command: CheckedCommand): CheckedCommand {
  return command
    .option('--dry-run', 'print what would be removed, and remove nothing')
    .option(
      '--grace <time>',
      'how long to wait before anything is removed, such as 12h, 2d or 0; `cancel` keeps the tenant',
      grace,
    )
    .option(
      '--export',
      'refuse unless a final dump of its data is kept; it may be handed out (`tenantry archives url`)',
    )
    .option('--wait', 'follow until it is done (with a grace period: return as soon as it is accepted)', true)
    .option('--no-wait', 'return as soon as it is accepted')
    .contradict('--wait', '--no-wait');
}

/** Scripts that must not wait through a hold (30 minutes by default) leave when it begins. */
export function untilHold(): Option {
  return new Option('--until-hold', 'stop following when the operation is on hold for an operator, with exit code 6');
}
