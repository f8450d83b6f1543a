import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { isOneOf } from './one-of.ts';
import type { Preview, TenantDrift } from './api-client.ts';
import { moment } from './attention.ts';
import { differencesText, differenceText } from './drift-output.ts';
import type { Common, Context } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { printJson, type Terminal } from './output.ts';
import type { Subject } from './subject.ts';
import { counted, durationText, wrapped } from './text.ts';

/** What a command with `--dry-run` ends with. */
export function showPreview(
  { subject, terminal }: Pick<Context, 'subject' | 'terminal'>,
  options: Common,
  preview: Preview,
): ExitCode {
  if (options.json) printJson(terminal, preview);
  else printPreview(terminal, subject, preview);
  return exitCodes.done;
}

/**
 * Prints what a request would do: what becomes of each step that does not stay as it is, and from what to what.
 * @param drift of a repair: what the last look saw
 */
export function printPreview({ out }: Terminal, subject: Subject, preview: Preview, drift?: TenantDrift): void {
  const { operation, steps, expected, room, control, details, finalDump, graceSeconds, residues = [] } = preview;
  const touched = steps.filter(({ becomes }) => becomes !== 'keep');
  if (operation === null) {
    out.write(details ? 'it would be changed at once (nothing was changed):\n' : 'nothing would have to be changed\n');
    if (details) out.write(`  name: ${details.displayName}\n  contact: ${details.contactEmail}\n`);
    return;
  }
  if (control) printControl(out, subject, control);
  if (control && touched.length === 0) return;
  out.write(`would be done (nothing was changed):\n`);
  for (const step of touched.filter((each) => !isLookedAt(each))) printStep(out, subject, step);
  printLookedAt(out, operation, touched.filter(isLookedAt));
  if (drift) printDrift(out, drift);
  out.write(`  ${stayingText(operation, steps)}\n`);
  const data = dataText(steps, subject);
  if (data !== undefined) out.write(`  ${data}\n`);
  if (expected !== undefined) out.write(`  time to expect: ${expected ? timeText(expected) : 'not known yet'}\n`);
  if (typeof graceSeconds === 'number') out.write(`  ${graceText(graceSeconds)}\n`);
  if (finalDump) out.write(`  ${subject.words(finalDump.detail)}\n`);
  for (const { stepId, type, reason, days } of residues)
    out.write(`  stays for a while: ${type} of ${stepId}${days === null ? '' : `, ${days} days`}: ${reason}\n`);
  if (room)
    out.write(
      `  room on its load balancer afterwards: ${room.rules.leftAfter} of ${room.rules.quota} rules, ` +
        `${room.targetGroups.leftAfter} of ${room.targetGroups.quota} target groups\n`,
    );
}

type Step = Preview['steps'][number];

/** Of the steps that the operation's status counts: what a change takes away is none of its target. */
function stayingText(operation: string, steps: readonly Step[]): string {
  const removesAll = isOneOf(operationTypes, operation) && operationTable[operation].target === 'nothing';
  const counting = removesAll ? steps : steps.filter(({ becomes }) => becomes !== 'drop');
  const stay = steps.filter(({ becomes }) => becomes === 'keep').length;
  const gone = steps.length - counting.length;
  const goes = gone === 0 ? '' : `; ${counted(gone, 'other step')} ${gone === 1 ? 'is' : 'are'} removed`;
  return `${stay} of ${counted(counting.length, 'step')} stay as they are${goes}`;
}

/** Whether data goes, where anything does. Undefined: nothing goes, or an API of an earlier release does not tell. */
function dataText(steps: readonly Step[], { noun }: Subject): string | undefined {
  const going = steps.filter(({ becomes }) => becomes === 'drop');
  if (going.length === 0 || going.some(({ dropsData }) => dropsData === undefined)) return undefined;
  const losing = going.flatMap(({ dropsData, stepId }) => (dropsData === true ? [stepId] : []));
  return losing.length === 0 ? `no data of the ${noun} is lost` : `the ${noun}'s data goes with ${losing.join(', ')}`;
}

/** Nothing is known of it that would have to be changed: whether it is, the run finds out. */
function isLookedAt({ becomes, fields }: Step): boolean {
  return becomes === 'restore' || (becomes === 'change' && fields.length === 0);
}

function printStep(out: Terminal['out'], { noun }: Subject, step: Step): void {
  const { becomes, stepId, kind, fields, calls = [], expected: takes, dropsData, transient } = step;
  const data = dropsData === true ? `, and the ${noun}'s data with it` : '';
  const onTheWay = transient === true && becomes !== 'drop' ? ', on the way only' : '';
  out.write(`  ${becomes.padEnd(7)}  ${stepId} (${kind})${onTheWay}${data}${takes ? `, ${timeText(takes)}` : ''}\n`);
  for (const { field, from, to } of fields) {
    const absent = kind === 'task-definition' ? '(as the template has it)' : '(none)';
    out.write(`           ${field}: ${shown(from, absent)} -> ${shown(to, absent)}\n`);
  }
  if (calls.length > 0) out.write(`           at most: ${calls.join(', ')}\n`);
}

function printLookedAt(out: Terminal['out'], operation: string, steps: readonly Step[]): void {
  if (steps.length === 0) return;
  const isRepair = isOneOf(operationTypes, operation) && operationTable[operation].target === 'applied';
  const restored = isRepair || steps.every(({ becomes }) => becomes === 'restore');
  const when = restored ? 'is not as it was applied' : 'reads or refers to something that has changed';
  out.write(`  looked at again, and changed only where it ${when}: ${counted(steps.length, 'step')}\n`);
  const ids = steps.map(({ stepId }) => stepId).join(', ');
  for (const line of wrapped(ids, out.columns || PLAIN_WIDTH, '           ', '           ')) out.write(`${line}\n`);
}

function printDrift(out: Terminal['out'], { drift, findings }: TenantDrift): void {
  if (!drift) {
    out.write('  nobody has looked for differences yet: `tenantry drift --tenant <tenant>` does\n');
    return;
  }
  const found = findings.length === 0 ? 'found nothing that differs' : `found ${differencesText(findings.length)}`;
  out.write(`  the last look (${moment(drift.lookedAt, Date.now())}) ${found}\n`);
  for (const { stepId, ...difference } of findings) out.write(`    ${stepId}: ${differenceText(difference)}\n`);
}

const PLAIN_WIDTH = 100;

function printControl(
  out: Terminal['out'],
  { noun, statusText, words }: Subject,
  { verb, operationId, state, ...then }: NonNullable<Preview['control']>,
): void {
  out.write(`${verb} of operation ${operationId} (${state}) ${words(then.effect)}\n`);
  out.write(`the ${noun} is ${statusText(then.tenantStatus, null)} afterwards (nothing was changed)\n`);
  for (const { type, name, reason } of then.leftovers) out.write(`  stays    ${type} ${name}: ${reason}\n`);
}

function graceText(seconds: number): string {
  if (seconds === 0) return 'begins at once: there is no grace period';
  return `begins in ${durationText(seconds)}: until then \`cancel\` takes it back`;
}

function timeText({ medianMs, p90Ms }: { readonly medianMs: number; readonly p90Ms: number }): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `usually ${seconds(medianMs)}, at most ${seconds(p90Ms)} in 9 of 10 runs`;
}

function shown(value: unknown, absent: string): string {
  return value === undefined || value === null ? absent : JSON.stringify(value);
}
