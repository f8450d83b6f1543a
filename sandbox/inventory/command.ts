import { Command, Option } from 'commander';

/** `tenantry sandbox inventory`: what exists, or what came, went and changed since it was saved. */
export function inventoryCommand(): Command {
  return new Command('inventory')
    .description('list all that exists in AWS (behind a gateway) and PostgreSQL; AWS_ENDPOINT_URL says where')
    .option('--json', 'print it as JSON, to be saved for --since')
    .option('--since <file>', 'print the difference to an inventory that was saved before')
    .addOption(
      new Option('--scope <scope>', "the kinds that tenants' things are of, or all")
        .choices(['tenants', 'all'])
        .default('all'),
    )
    .option('--root <pids...>', 'also list what descends from these processes')
    .action(async (given: InventoryOptions) => {
      const { printInventory } = await import('./printing.ts');
      await printInventory(given, process.env, (text) => process.stdout.write(text));
    });
}

export interface InventoryOptions {
  readonly json?: boolean | undefined;
  readonly since?: string | undefined;
  readonly scope: 'tenants' | 'all';
  readonly root?: readonly string[] | undefined;
}
