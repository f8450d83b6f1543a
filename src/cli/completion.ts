import { Argument, type Command } from 'commander';
import { bashCompletion, fishCompletion, zshCompletion } from './completion-scripts.ts';
import type { Terminal } from './output.ts';

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** `tenants list`; empty for the program itself. */
  readonly path: string;
  readonly subcommands: readonly Described[];
  readonly options: readonly CompletedOption[];
}
export interface Described {
  readonly name: string;
  readonly description: string;
}
export interface CompletedOption extends Described {
  /** Undefined: it takes no value. Empty: any value. */
  readonly values: readonly string[] | undefined;
}

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `tenantry completion <shell>`: a script that is made from the commands, to be sourced. */
export function registerCompletion(program: Command, { out }: Terminal): void {
  program
    .command('completion')
    .description('print a script that completes commands and options: source <(tenantry completion bash)')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => void out.write(scripts[shell](completedCommands(program))));
}

/** The program and all its commands. Pure. */
export function completedCommands(command: Command, path = ''): CompletedCommand[] {
  const help = command.createHelp();
  const children = help.visibleCommands(command);
  const own = {
    path,
    subcommands: [
      ...children.map((child) => ({ name: child.name(), description: child.description() })),
      // An argument with choices is completed as a subcommand is.
      ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
        argChoices.map((name) => ({ name, description })),
      ),
    ],
    options: help
      .visibleOptions(command)
      .flatMap(({ long, description, required, optional, argChoices = [] }) =>
        long === undefined ? [] : [{ name: long, description, values: required || optional ? argChoices : undefined }],
      ),
  };
  const below = children.filter((child) => child.name() !== 'help');
  return [own, ...below.flatMap((child) => completedCommands(child, `${path} ${child.name()}`.trim()))];
}
