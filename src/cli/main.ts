import { CommanderError } from 'commander';
import { inAccountWords } from '../products/accounts/words.ts';
import { reportOf, wantsJson, writeError } from './error-report.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { buildProgram, serviceRegistrars, type Registrar } from './program.ts';

/**
 * Runs the command line and sets the process's exit code (`exit-codes.ts`).
 * @param argv arguments after node and script
 * @param loadMore loads further commands (the sandbox); not asked for commands on tenants, which start the faster
 */
export async function main(argv: readonly string[], loadMore: () => Promise<readonly Registrar[]>): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    throw error;
  });
  const json = wantsJson(argv);
  try {
    const light = ['tenants', 'accounts', 'products'].includes(argv[0] ?? '');
    const registrars = light ? [] : [...(await serviceRegistrars()), ...(await loadMore())];
    await buildProgram({ registrars, json }).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, json, argv);
  }
}

function report(error: unknown, json: boolean, argv: readonly string[]): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version.
    if (error.exitCode === 0) return exitCodes.done;
    // For people commander has printed its own message; it prints none of what a command found itself.
    if (!json && error.code.startsWith('commander.')) return printHint(error, argv);
  }
  const told = reportOf(error, argv[0] === 'accounts' ? inAccountWords : undefined);
  writeError(process.stderr, told, json);
  return told.exitCode;
}

/** `tenantry list` is a natural thing to type. */
function printHint({ code }: CommanderError, [first = '']: readonly string[]): ExitCode {
  const isTenantCommand = buildProgram()
    .commands.find((command) => command.name() === 'tenants')
    ?.commands.some((command) => command.name() === first);
  if (code === 'commander.unknownCommand' && isTenantCommand === true)
    process.stderr.write(`(did you mean "tenantry tenants ${first}"?)\n`);
  return exitCodes.usage;
}
