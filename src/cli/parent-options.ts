import type { Command } from 'commander';

/** An option belongs to the command that it follows: before a subcommand it would be taken, and mean nothing to it. */
export function refuseParentOptions(parent: Command, subcommand: Command): void {
  const [misplaced] = parent.options.filter((o) => parent.getOptionValueSource(o.attributeName()) === 'cli');
  if (!misplaced) return;
  const flag = misplaced.long ?? misplaced.flags;
  const [command, name] = [parent.name(), subcommand.name()];
  parent.error(`error: option ${flag} stands before ${name}: write "tenantry ${command} ${name} ... ${flag}"`);
}
