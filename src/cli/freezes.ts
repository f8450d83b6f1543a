import type { Freeze, FreezePreview, FreezeRequest } from './api-client.ts';
import type { CheckedCommand } from './checked-command.ts';
import type { Common } from './context.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { printJson, type Terminal } from './output.ts';
import type { SetExitCode } from './command-parts.ts';

/** `tenantry freeze`: no new operations of a product or in a cell, through the API at `TENANTRY_API_URL`. */
export function registerFreezes(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  const freeze = program
    .command('freeze')
    .description('accept no new operation of a product or in a cell, until it is lifted; open ones go on')
    .addHelpText('after', exitCodesHelp);
  const command = (name: string, description: string) =>
    freeze
      .command(name)
      .description(description)
      .option('--json', 'print JSON, for programs')
      .addHelpText('after', exitCodesHelp);
  const print = (answer: object, lines: readonly string[], { json }: Common) => {
    if (json) printJson(terminal, answer);
    else for (const line of lines) terminal.out.write(`${line}\n`);
    setExitCode(exitCodes.done);
  };

  const printScope = (preview: FreezePreview, what: string, options: Common) => {
    const { tenants, openOperations: open } = preview;
    print(preview, [`would be ${what}: ${scopeOf(preview)}; tenants: ${tenants}, open operations: ${open}`], options);
  };

  command('set', 'freeze a product, a cell, or a product in a cell')
    .option('--product <name>', 'product (default: any)')
    .option('--cell <id>', 'cell (default: any)')
    .requiredOption('--reason <text>', 'why: shown to whoever asks for an operation meanwhile')
    .option('--dry-run', 'print how many tenants it would be of, and freeze nothing')
    .action(async ({ product, cell, reason, ...options }: Previewable & FreezeRequest) => {
      const api = environmentApi();
      const asked = { product, cell, reason };
      if (options.dryRun === true) {
        printScope(await api.previewFreeze(asked), 'frozen', options);
        return;
      }
      const made = await api.freeze(asked);
      print(made, [freezeLine(made)], options);
    });
  command('list', 'list the freezes in force').action(async (options: Common) => {
    const freezes = await environmentApi().freezes();
    print({ freezes }, freezes.length === 0 ? ['nothing is frozen'] : freezes.map(freezeLine), options);
  });
  command('lift <freeze>', 'accept operations again')
    .option('--dry-run', 'print how many tenants it would be of, and lift nothing')
    .action(async (id: string, options: Previewable) => {
      const api = environmentApi();
      if (options.dryRun === true) {
        printScope(await api.previewLift(id), 'lifted', options);
        return;
      }
      const lifted = await api.lift(id);
      print(lifted, [`lifted: ${freezeLine(lifted)}`], options);
    });
}

type Previewable = Common & { readonly dryRun?: boolean };

/** One freeze, for people. */
export function freezeLine({ freezeId, product, cell, reason, by, since }: Freeze): string {
  return `${freezeId}  ${scopeOf({ product, cell })}, since ${since} by ${by}: ${reason}`;
}

function scopeOf({ product, cell }: Pick<Freeze, 'product' | 'cell'>): string {
  return [product ?? 'every product', cell ?? 'every cell'].join(' in ');
}
