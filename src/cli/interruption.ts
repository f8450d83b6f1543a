import { writeError } from './error-report.ts';
import { exitCodes } from './exit-codes.ts';
import type { Common } from './context.ts';
import type { Terminal } from './output.ts';
import type { Subject } from './subject.ts';
import { againText, sending } from './unknown-outcome.ts';

/** What goes on after Ctrl-C. */
export interface Interruption {
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Lines for people: what can be done. */
  readonly more: readonly string[];
  /** Brings the terminal into order. */
  readonly finish?: () => void;
}

/** Runs `work`; Ctrl-C meanwhile says what goes on and ends the process with exit code 130. */
export async function interruptible<T>(
  terminal: Terminal,
  options: Common,
  left: () => Interruption,
  work: () => Promise<T>,
): Promise<T> {
  const onInterrupt = () => {
    const { finish, message, details, more } = left();
    finish?.();
    if (options.json)
      writeError(terminal.err, { code: 'INTERRUPTED', exitCode: exitCodes.interrupted, message, details }, true);
    else terminal.err.write(`\n${[message, ...more].join('\n')}\n`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await work();
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/**
 * A request that changes something: Ctrl-C before its answer leaves open whether it took effect.
 * @throws UnknownOutcomeError when an answer that is lost leaves it open
 */
export function interruptibleRequest<T>(
  terminal: Terminal,
  options: Common,
  howToLook: string,
  request: () => Promise<T>,
  key?: string,
): Promise<T> {
  const left = () => ({
    message: 'whether the request was accepted is not known',
    ...(key !== undefined && { details: { idempotencyKey: key } }),
    more: [`  look:  ${howToLook}`, ...(key === undefined ? [] : [`  or:    ${againText(key)}`])],
  });
  return interruptible(terminal, options, left, () => sending(howToLook, request, key));
}

/** Of an operation that is being followed. */
export function operationGoesOn(
  { group }: Pick<Subject, 'group'>,
  { tenantId, operationId }: { readonly tenantId: string; readonly operationId: string },
  isCancellable: boolean,
): Pick<Interruption, 'message' | 'details' | 'more'> {
  return {
    message: 'the operation continues without this command',
    details: { tenantId, operationId },
    more: [
      `  follow it:  tenantry ${group} watch ${tenantId}`,
      ...(isCancellable ? [`  cancel it:  tenantry ${group} cancel ${tenantId}`] : []),
    ],
  };
}
