import type { OperationState } from '../contracts/operation-state.ts';
import { slugReservedUntil } from '../contracts/slug-quarantine.ts';
import { addressText } from './addresses.ts';
import type { Accepted, TenantEvent } from './api-client.ts';
import { moment } from './attention.ts';
import type { Common, Context, Waiting } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { followOperation } from './following.ts';
import { createOutages, readThrough } from './outages.ts';
import { printAttention, printJson, slugText, workerNotice, type Terminal } from './output.ts';
import { interruptible, operationGoesOn } from './interruption.ts';
import { isOneOf } from './one-of.ts';
import type { Open } from './open-answers.ts';
import { createProgressPrinter, failureText } from './progress.ts';
import type { Subject } from './subject.ts';
import { wrapped } from './text.ts';
import { UnknownOutcomeError } from './unknown-outcome.ts';

/** What the caller knows of the operation that was accepted. */
export interface Expected {
  /** What the tenant is called in the commands that are printed. */
  readonly name: string;
  /** States that the caller wanted. */
  readonly good: readonly OperationState[];
  /** What Ctrl-C says: whether a cancel may apply to what is followed. */
  readonly isCancellable?: boolean;
}

/** What was accepted. */
export type Acceptance = Pick<Accepted, 'tenantId' | 'operationId' | 'deletesAt' | 'tenantUrl' | 'workers'> & {
  readonly status: string;
  /** What `--json` prints of it. Default: as the subject tells what was accepted. */
  readonly document?: unknown;
};

/**
 * Follows what was accepted to its end, unless the caller does not want to wait.
 * @param after id of the last event before the request
 */
export async function afterAcceptance(
  context: Context,
  accepted: Acceptance,
  after: number,
  options: Waiting,
  { name, good, isCancellable = false }: Expected,
): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const { tenantId, operationId } = accepted;
  if (!options.wait) {
    if (options.json) printJson(terminal, accepted.document ?? (await subject.accepted(accepted)));
    else for (const line of acceptanceLines(subject, accepted, name, isCancellable)) terminal.out.write(`${line}\n`);
    return exitCodes.done;
  }
  const show = options.json ? silent : eventPrinter(context, options);
  const following = {
    tenantId,
    operationId,
    group: subject.group,
    after,
    onEvent: show.event,
    onNote: show.note,
    workers: accepted.workers,
    untilHold: options.untilHold,
  };
  const state = await interruptible(
    terminal,
    options,
    () => ({ ...operationGoesOn(subject, accepted, isCancellable), finish: show.finish }),
    () => {
      show.note(`${subject.noun} ${tenantId}, operation ${operationId}`);
      noteWorkers(show, accepted);
      return followOperation(api, following);
    },
  );
  show.finish();
  return outcome(context, accepted, state, options, good, 'document');
}

/** Somebody who follows an operation would otherwise wait without a word. */
export function noteWorkers(show: Pick<EventPrinter, 'note'>, answer: Pick<Accepted, 'workers'>): void {
  const notice = workerNotice(answer);
  if (notice !== undefined) show.note(`waiting: ${notice}`);
}

/** What happens next has no other place: nobody follows it. */
function acceptanceLines(
  { group, noun }: Subject,
  accepted: Acceptance,
  name: string,
  isBeingCreated: boolean,
): string[] {
  const notice = workerNotice(accepted);
  const address = isBeingCreated ? addressText(accepted) : undefined;
  return [
    `accepted: ${noun} ${accepted.tenantId}, operation ${accepted.operationId}`,
    ...(address === undefined ? [] : [`  address:    ${address}`]),
    ...(notice === undefined ? [] : [`  waiting:    ${notice}`]),
    ...(typeof accepted.deletesAt === 'string' ? graceLines(group, noun, accepted.deletesAt, name) : []),
    `  follow it:  tenantry ${group} watch ${name}`,
  ];
}

function graceLines(group: string, noun: string, deletesAt: string, name: string): string[] {
  return [
    `  removed:    not before ${moment(deletesAt, Date.now())}; until then the ${noun} goes on as before`,
    `  keep it:    tenantry ${group} cancel ${name}`,
  ];
}

/** Says how it ended, and what to do when it waits for a person. @returns the exit code that says the same */
export async function outcome(
  context: Context,
  { tenantId, operationId }: { readonly tenantId: string; readonly operationId: string },
  state: Open<OperationState>,
  options: Common,
  good: readonly OperationState[],
  json: 'document' | 'stream',
): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const status = await readThrough(createOutages(), () => api.status(tenantId)).catch((cause: unknown) => {
    const message = `operation ${operationId} is ${state}, but the status of its ${subject.noun} cannot be read`;
    throw new UnknownOutcomeError(message, `tenantry ${subject.group} show ${tenantId}`, cause);
  });
  if (options.json) {
    if (json !== 'stream') printJson(terminal, await subject.ended(status));
  } else {
    // Another operation may have begun since: its failure is not this one's.
    const failed = state === 'succeeded' ? undefined : status.error;
    const failure = failed === undefined ? '' : `: ${failed.code}: ${failed.message}`;
    const stands = subject.statusText(status.status, status.outcome);
    terminal.out.write(`${state}${failure}; the ${subject.noun} is ${stands}\n`);
    if (status.status === 'active' && status.tenantUrl !== null) terminal.out.write(`${status.tenantUrl}\n`);
    if (status.status === 'deleted') await printReservation(context, tenantId);
    printAttention(terminal, status, subject.words);
  }
  if (state === 'holding') return exitCodes.holding;
  return isOneOf(good, state) ? exitCodes.done : exitCodes.failed;
}

/** It is removed: that the tenant cannot be read now is no failure of it. */
async function printReservation({ api, subject, terminal }: Context, tenantId: string): Promise<void> {
  // Nobody picks the slug of an account.
  if (subject.noun === 'account') return;
  const tenant = await api.get(tenantId).catch(() => undefined);
  const nowMs = Date.now();
  if (tenant && slugReservedUntil(tenant, nowMs) !== undefined)
    terminal.out.write(`its slug ${slugText(tenant, nowMs)}\n`);
}

/** Shows events as they come. */
export interface EventPrinter {
  readonly event: (event: TenantEvent) => void;
  readonly note: (text: string) => void;
  readonly finish: () => void;
}

const silent: EventPrinter = { event: () => undefined, note: () => undefined, finish: () => undefined };

export function eventPrinter(
  { subject, terminal }: Pick<Context, 'subject' | 'terminal'>,
  options: Common & { readonly untilHold?: boolean },
): EventPrinter {
  if (options.json) {
    return {
      event: (event) => printJson(terminal, event),
      // What stands on stderr is a failure, in JSON.
      note: () => undefined,
      finish: () => undefined,
    };
  }
  const printer = createProgressPrinter(terminal.out, { noun: subject.noun });
  return {
    event: (event) => {
      const told = subject.event(event);
      if (told) printer.event(told);
      const holds = event.type === 'operation.state' && event.data.to === 'holding';
      if (holds && !options.untilHold) for (const line of holdingHint(event, subject, terminal)) printer.note(line);
    },
    note: (text) => printer.note(text),
    finish: () => void printer.finish(),
  };
}

/** What somebody needs to know who would otherwise sit and wait for half an hour. */
function holdingHint({ tenantId, data, advice }: TenantEvent, { group, words }: Subject, { out }: Terminal): string[] {
  const failure = failureText(data.failure);
  const until = typeof data.until === 'string' ? ` until ${moment(data.until, Date.now())}, then it rolls back` : '';
  return [
    `it is on hold${until}`,
    // Live lines are cut to the terminal's width; in a pipe the event has said all.
    ...(out.isTTY && failure !== undefined ? wrapped(failure, out.columns, '  ', '  ') : []),
    ...(advice ? [`  ${words(advice.text)} See ${advice.runbook}`] : []),
    `  fix the cause, then in another terminal: tenantry ${group} retry ${tenantId}`,
    `  or roll it back now: tenantry ${group} cancel ${tenantId}`,
    '  Ctrl-C stops following; the operation continues',
  ];
}
