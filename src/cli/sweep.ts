import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { isInOrder, type SweepRemoval, type SweepReport } from '../contracts/sweep.ts';
import type { Sweep } from '../sweep/sweep.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';
import { wholeNumber } from './option-values.ts';
import { refuseParentOptions } from './parent-options.ts';
import { commandCaller } from '../process-caller.ts';
import { processUser } from '../process-user.ts';
import { removalLine, removalRowText, removalText, reportLine, reportText } from './sweep-output.ts';

const help = `
The sweep compares what exists with what the ledger holds. It only reports; what it finds is removed by
  tenantry sweep approve <report> --by <name>, then tenantry sweep remove <report>
a few things per run, each looked at again right before. Nothing is removed while the ledger is older than its mark
outside the database (a restored backup).

Exit codes:
  0  done; for a report: nothing found; for remove: what it came to within --limit is gone
  1  something was found or could not be looked at, or the mark of the ledger is out of reach or lost;
     for remove: something was skipped or failed
  2  wrong usage or bad input
  3  no such report, finding or cell
  4  refused: not approved, too old, approved already, or the ledger is not to be trusted
  5  Temporal or PostgreSQL cannot be reached`;

/** Where the commands get their sweep from; other than the environment's: for programs that have one. */
export type SweepSource = () => Promise<{ readonly sweep: Sweep; close(): Promise<void> }>;

interface Common {
  readonly json?: boolean;
}

/** `tenantry sweep`: runs where the credentials are. */
export function registerSweep(program: Command, source: SweepSource = fromEnvironment): void {
  const opened = openedRunner(source, codes);
  const run = (action: (sweep: Sweep) => Promise<ExitCode>) => opened(({ sweep: found }) => action(found));
  const sweep = program
    .command('sweep')
    .description('find what nobody owns, and what is missing, stuck or lost; removes nothing by itself')
    .addHelpText('after', help)
    .option('--cell <id>', 'this cell only')
    .option('--by <name>', 'who asks (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .hook('preSubcommand', refuseParentOptions)
    .action((options: Common & { cell?: string; by?: string }) => run((s) => report(s, options)));
  sweep
    .command('list')
    .description('reports, newest first')
    .option('--json', 'one JSON document on stdout')
    .action((options: Common) => run((s) => list(s, options)));
  sweep
    .command('show <report>')
    .description('a report and what was done of it')
    .option('--json', 'one JSON document on stdout')
    .action((id: string, options: Common) => run((s) => show(s, id, options)));
  sweep
    .command('approve <report>')
    .description('let the sweep remove what the report lists, once')
    .requiredOption('--by <name>', 'who approves')
    .option('--only <finding...>', 'these findings only')
    .option('--json', 'one JSON document on stdout')
    .action((id: string, options: Common & { by: string; only?: string[] }) => run((s) => approve(s, id, options)));
  sweep
    .command('remove <report>')
    .description('remove what was approved, a few things per run')
    .option('--limit <n>', 'remove at most this many things, 1 to 20', wholeNumber(1, 20), 5)
    .option('--by <name>', 'who runs it (default: the user)')
    .option('--json', 'one JSON document on stdout')
    .action((id: string, options: Common & { limit: number; by?: string }) => run((s) => remove(s, id, options)));
  sweep
    .command('adopt-ledger')
    .description('take this ledger for the true one though its mark says otherwise; audited')
    .requiredOption('--reason <text>', 'why: for the audit trail')
    .option('--cell <id>', 'this cell only')
    .option('--by <name>', 'who decides (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((options: Common & { reason: string; cell?: string; by?: string }) => run((s) => adopt(s, options)));
}

async function fromEnvironment() {
  const config = loadConfig('worker');
  const [{ openSweep }, { processLog }] = await Promise.all([
    import('../sweep/open-sweep.ts'),
    import('./process-log.ts'),
  ]);
  return openSweep(config, processLog(config.logLevel === 'info' ? 'warn' : config.logLevel));
}

const codes: FailureCodes = {
  SweepRefusedError: { code: 'SWEEP_REFUSED', exitCode: exitCodes.conflict },
  SweepNotFoundError: { code: 'SWEEP_NOT_FOUND', exitCode: exitCodes.notFound },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
  CommitUnclearError: { code: 'OUTCOME_UNKNOWN', exitCode: exitCodes.unknown },
  OrchestratorUnreachableError: { code: 'ORCHESTRATOR_UNAVAILABLE', exitCode: exitCodes.unavailable },
  ForeignNamespaceError: { code: 'FOREIGN_NAMESPACE', exitCode: exitCodes.usage },
};

async function report(
  sweep: Sweep,
  { cell, by = processUser(), json }: Common & { cell?: string; by?: string },
): Promise<ExitCode> {
  const caller = commandCaller();
  const reports: SweepReport[] = [];
  for (const id of cell === undefined ? sweep.cells() : [cell])
    reports.push(await sweep.report(caller, { cell: id, by }));
  print(json, { reports }, () => reports.map((made) => reportText(made)).join('\n\n'));
  const isClean = reports.every(
    ({ findings, problems, mark }) => findings.length === 0 && problems.length === 0 && isInOrder(mark),
  );
  return isClean ? exitCodes.done : exitCodes.failed;
}

async function list(sweep: Sweep, { json }: Common): Promise<ExitCode> {
  const reports = await sweep.list();
  print(json, { reports }, () => reports.map(reportLine).join('\n'));
  return exitCodes.done;
}

async function show(sweep: Sweep, id: string, { json }: Common): Promise<ExitCode> {
  const shown = await sweep.show(id);
  const text = () => [reportText(shown.report, shown.removals), ...shown.removals.map(removalRowText)].join('\n');
  print(json, shown, text);
  return exitCodes.done;
}

async function approve(
  sweep: Sweep,
  reportId: string,
  { by, only, json }: Common & { by: string; only?: string[] },
): Promise<ExitCode> {
  const approved = await sweep.approve(commandCaller(), { reportId, by, only });
  print(json, { report: approved }, () => reportText(approved));
  return exitCodes.done;
}

async function remove(
  sweep: Sweep,
  reportId: string,
  { by = processUser(), limit, json }: Common & { by?: string; limit: number },
): Promise<ExitCode> {
  const removals: SweepRemoval[] = [];
  try {
    const onRemoval = (removal: SweepRemoval) => removals.push(removal);
    const answer = await sweep.remove(commandCaller(), { reportId, by, limit, onRemoval });
    print(json, answer, () => removalText(reportId, answer));
  } catch (error) {
    // What was done before it ended so is done.
    if (removals.length > 0) print(json, { removals }, () => removals.map(removalLine).join('\n'));
    throw error;
  }
  return removals.every((r) => r.outcome === 'removed' || r.outcome === 'gone') ? exitCodes.done : exitCodes.failed;
}

async function adopt(
  sweep: Sweep,
  { cell, by = processUser(), reason, json }: Common & { cell?: string; by?: string; reason: string },
): Promise<ExitCode> {
  const caller = commandCaller();
  const marks: { cell: string; state: string; detail: string }[] = [];
  for (const id of cell === undefined ? sweep.cells() : [cell])
    marks.push({ cell: id, ...(await sweep.adoptLedger(caller, { cell: id, by, reason })) });
  print(json, { marks }, () => marks.map((m) => `${m.cell}: ${m.state}: ${m.detail}`).join('\n'));
  return marks.every((m) => m.state === 'intact') ? exitCodes.done : exitCodes.failed;
}

function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value) : text());
}
