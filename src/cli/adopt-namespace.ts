import type { Command } from 'commander';
import { runCommand } from './process.ts';
import { processUser } from '../process-user.ts';

interface Options {
  readonly reason: string;
  readonly by?: string;
}

/** `tenantry adopt-namespace`: for an installation whose Temporal namespace is gone for good. */
export function registerAdoptNamespace(program: Command): void {
  program
    .command('adopt-namespace')
    .description("let the workers serve TEMPORAL_NAMESPACE from now on, when the installation's own is gone for good")
    .requiredOption('--reason <text>', 'why: for the audit trail')
    .option('--by <name>', 'who decides (default: the user that runs it)')
    .action(({ reason, by = processUser() }: Options) =>
      runCommand(async () => {
        const { adoptNamespaceAt } = await import('./adopting.ts');
        await adoptNamespaceAt({ reason, by });
      }),
    );
}
