import type { ErrorReport } from './error-report.ts';
import type { ExitCode } from './exit-codes.ts';
import { printFailure, runCommand } from './process.ts';

/** By the name of an error: how a command ends that fails with it. */
export type FailureCodes = Readonly<Record<string, Pick<ErrorReport, 'code' | 'exitCode'>>>;

/**
 * Runs actions of a command on what it opens for them, and closes that. The exit code of a refusal is its own, because scripts must
 * tell it from a failure.
 */
export function openedRunner<T extends { close(): Promise<void> }>(
  open: () => Promise<T>,
  codes: FailureCodes,
): (action: (opened: T) => Promise<ExitCode>) => Promise<void> {
  return (action) =>
    runCommand(async () => {
      try {
        const opened = await open();
        try {
          process.exitCode = await action(opened);
        } finally {
          await opened.close();
        }
      } catch (error) {
        const known = error instanceof Error ? codes[error.name] : undefined;
        if (known === undefined) throw error;
        process.exitCode = printFailure(error, known);
      }
    });
}
