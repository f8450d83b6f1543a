import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { DriftLook } from '../contracts/drift.ts';
import type { Database } from '../db/database.ts';
import type { Drift } from '../drift/drift.ts';
import { commandCaller } from '../process-caller.ts';
import { lookText, totalText } from './drift-output.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';
import { refuseParentOptions } from './parent-options.ts';

const help = `
Looks at every step of active and suspended tenants and says what is not as it was applied. It changes nothing of theirs; what
it finds is in \`tenantry tenants show\` too. A tenant with an open operation is not looked at. What brings a difference back is
printed with it, for example
  tenantry tenants repair <tenant>

Exit codes:
  0  done; for a look: every tenant was looked at, and nothing differs
  1  something differs, or a tenant or a step of it could not be looked at (an operation is open)
  2  wrong usage or bad input
  3  no such tenant or cell
  5  PostgreSQL cannot be reached`;

/** Where the commands get their looks from; other than the environment's: for programs that have them. */
export type DriftSource = () => Promise<Opened>;

interface Opened {
  readonly drift: Drift;
  readonly database: Database;
  close(): Promise<void>;
}

interface LookOptions {
  readonly cell?: string;
  readonly product?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

/** `tenantry drift`: runs where the credentials are. */
export function registerDrift(program: Command, source: DriftSource = fromEnvironment): void {
  const run = openedRunner(source, codes);
  const drift = program
    .command('drift')
    .description('look at tenants for what is not as it was applied; changes nothing of theirs')
    .addHelpText('after', help)
    .option('--cell <id>', 'tenants of this cell only')
    .option('--product <name>', 'tenants of this product only')
    .option('--tenant <tenant>', 'this tenant only: its id, product/slug or slug')
    .option('--json', 'one JSON document on stdout')
    .hook('preSubcommand', refuseParentOptions)
    .action((options: LookOptions) => run((opened) => look(opened.drift, options)));
  drift
    .command('resume <cell>')
    .description('let drift of a cell be repaired automatically again after that was stopped')
    .addHelpText('after', '\nDrift and failures from before do not count again. Exit code 3: no such cell.')
    .option('--json', 'one JSON document on stdout')
    .action((cell: string, options: Pick<LookOptions, 'json'>) => run((opened) => resume(opened, cell, options)));
}

async function resume({ drift, database }: Opened, cell: string, { json }: Pick<LookOptions, 'json'>) {
  const [{ resumeDriftRepairs }, { DriftNotFoundError }] = await Promise.all([
    import('../db/drift-repairs.ts'),
    import('../drift/drift.ts'),
  ]);
  if (!drift.cells().includes(cell)) throw new DriftNotFoundError(`the platform description has no cell ${cell}`);
  const resumed = await resumeDriftRepairs(database, cell, commandCaller());
  const text = resumed ? 'drift is repaired automatically again' : 'automatic repair was not stopped';
  console.log(json === true ? JSON.stringify({ cell, resumed }) : `cell ${cell}: ${text}`);
  return exitCodes.done;
}

async function fromEnvironment() {
  const config = loadConfig('worker');
  const [{ openDrift }, { processLog }] = await Promise.all([
    import('../drift/open-drift.ts'),
    import('./process-log.ts'),
  ]);
  return openDrift(config, processLog(config.logLevel === 'info' ? 'warn' : config.logLevel));
}

const codes: FailureCodes = {
  DriftNotFoundError: { code: 'DRIFT_NOT_FOUND', exitCode: exitCodes.notFound },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
};

async function look(drift: Drift, { json, ...wanted }: LookOptions): Promise<ExitCode> {
  const seen: DriftLook[] = [];
  await drift.lookAt(commandCaller(), wanted, (one) => {
    seen.push(one);
    if (json !== true) console.log(lookText(one));
  });
  if (json === true) console.log(JSON.stringify({ looks: seen }));
  else console.log(totalText(seen));
  return seen.every(({ outcome }) => outcome === 'none') ? exitCodes.done : exitCodes.failed;
}
