import { CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { adviceOn } from '../contracts/advice.ts';
import { ApiError, ApiUnreachableError } from './api-client.ts';
import { exitCodeOfStatus, exitCodes, type ExitCode } from './exit-codes.ts';
import { buildProgram, serviceRegistrars, type Registrar } from './program.ts';
import { TenantNameError } from './tenant-names.ts';

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
  try {
    const light = argv[0] === 'tenants';
    const registrars = light ? [] : [...(await serviceRegistrars()), ...(await loadMore())];
    await buildProgram({ registrars }).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): ExitCode {
  // Commander has printed its own message; help and version end in code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof ApiError) {
    printApiError(error);
    return exitCodeOfStatus(error.status);
  }
  if (error instanceof TenantNameError) {
    process.stderr.write(`error: ${error.message}\n`);
    return error.fault === 'usage' ? exitCodes.usage : exitCodes.notFound;
  }
  if (error instanceof ApiUnreachableError) {
    process.stderr.write(
      `error: ${error.message}\n  is the API up? \`tenantry api\` starts it; TENANTRY_API_URL says where it is\n`,
    );
    return exitCodes.unavailable;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`error: ${error.message}\n`);
    return exitCodes.usage;
  }
  process.stderr.write(`error: ${describe(error)}\n`);
  return exitCodes.failed;
}

function printApiError(error: ApiError): void {
  process.stderr.write(`error: ${error.code}: ${error.message}\n`);
  const advice = adviceOn(error.code);
  if (advice) process.stderr.write(`what to do: ${advice.text} See ${advice.runbook}\n`);
  if (error.details) process.stderr.write(`details: ${JSON.stringify(error.details)}\n`);
  if (error.requestId !== undefined) process.stderr.write(`request: ${error.requestId}\n`);
}

/** The message with those of its causes: the reason is often the innermost one. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n  because: ${describe(error.cause)}`;
}
