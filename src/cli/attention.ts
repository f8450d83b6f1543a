import type { Status } from './api-client.ts';
import { isOneOf } from './one-of.ts';
import { oneLine, wrapped } from './text.ts';

/** What of a status may wait for a person. */
export type Attended = Pick<Status, 'attention' | 'error' | 'leftovers' | 'operation' | 'unsettled'>;

/**
 * What waits for a person: why, what is left, since when, and what to do. Empty when nothing does. Pure.
 * @param width columns of the terminal
 * @param words how the API's words about a tenant are said
 */
export function attentionLines(
  status: Attended,
  nowMs: number,
  width: number,
  words = (text: string) => text,
): string[] {
  const { attention, operation, error, leftovers = [] } = status;
  if (!attention) return [];
  const row = (name: string, text: string) => wrapped(oneLine(text), width, name.padEnd(INDENT), ' '.repeat(INDENT));
  const kind = operation.state === 'stuck' || operation.state === 'holding' ? operation.state : headingOf(status);
  return [
    ...row(kind.toUpperCase(), `since ${moment(attention.since, nowMs)}`),
    ...(attention.until === undefined ? [] : row('until', moment(attention.until, nowMs))),
    ...(error ? row(leftovers.some((left) => isOther(left, error)) ? 'at first' : 'failure', whyOf(error)) : []),
    ...leftoverLines(leftovers, error, row),
    ...attention.advice.flatMap(({ code, text, runbook }) => row('advice', `${code}: ${words(text)} See ${runbook}`)),
    ...attention.choices.flatMap(({ command, effect }, i) => [
      `${(i === 0 ? 'you can' : '').padEnd(INDENT)}${words(command)}`,
      ...row('', `  ${words(effect)}`),
    ]),
    ...row('otherwise', words(attention.otherwise)),
  ];
}

const INDENT = 11;

function headingOf({ unsettled }: Attended): string {
  if (unsettled === 'missing') return 'missing';
  if (unsettled === 'changed') return 'changed';
  return unsettled === 'unknown' ? 'unsettled' : 'left over';
}

/** `2026-01-31 03:00:12 UTC (4 min ago)`: pages are read in other time zones than logs are. */
export function moment(iso: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  const away = Math.abs(seconds);
  const [n, unit] =
    away < 90
      ? [away, 's']
      : away < 5_400
        ? [Math.round(away / 60), 'min']
        : away < 172_800
          ? [Math.round(away / 3_600), 'h']
          : [Math.round(away / 86_400), 'days'];
  return `${utc(iso)} (${seconds <= 0 ? `${n} ${unit} ago` : `in ${n} ${unit}`})`;
}

/** `2026-01-31 03:00:12 UTC` */
export function utc(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

type Failure = NonNullable<Status['error']>;
type Leftover = NonNullable<Status['leftovers']>[number];
type Row = (name: string, text: string) => string[];

function whyOf({ code, message, stepId, detail }: Failure): string {
  const where = stepId === undefined ? '' : ` at ${stepId}`;
  return `${code}${where}: ${message}${detail === undefined ? '' : ` (${detail})`}`;
}

/** Kept there by something else than what the operation failed for: that is why it began to take things away. */
function isOther({ code, reason }: Leftover, error: Failure): boolean {
  return code !== undefined && !isToldBy(error, reason);
}

function isToldBy({ code, message }: Failure, reason: string): boolean {
  return reason.startsWith(`${code}: ${message}`);
}

/**
 * Each thing with its full id on a line of its own; things that are left for one reason stand together, those that hold the
 * others up first.
 */
function leftoverLines(leftovers: readonly Leftover[], error: Failure | undefined, row: Row): string[] {
  const groups = new Map<string, Leftover[]>();
  for (const left of leftovers) {
    const key = `${labelOf(left)}\n${left.stepId}\n${left.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), left]);
  }
  const rank = ([first]: Leftover[]) =>
    first === undefined ? 0 : labels.indexOf(labelOf(first)) * 2 + Number(first.code === undefined);
  const ordered = [...groups.values()].sort((a, b) => rank(a) - rank(b));
  return ordered.flatMap((group, i) => {
    const [first] = group;
    if (!first) return [];
    const { stepId, reason } = first;
    const told = error !== undefined && error.stepId === stepId && isToldBy(error, reason);
    const before = ordered[i - 1]?.[0];
    const label = before && labelOf(before) === labelOf(first) ? '' : labelOf(first);
    return [
      ...row(label, `step ${stepId}${told ? ' (the failure above)' : `: ${reason}`}`),
      ...group.filter((left) => left.name !== stepId).map((left) => `${' '.repeat(INDENT)}  ${oneLine(thing(left))}`),
    ];
  });
}

const labels = ['missing', 'changed', 'left', 'not seen'] as const;

function labelOf({ condition = 'left' }: Leftover): (typeof labels)[number] {
  if (condition === 'not-looked-at') return 'not seen';
  return isOneOf(labels, condition) ? condition : 'left';
}

/** An ARN says the name too. */
function thing({ type, name, physicalId }: Leftover): string {
  if (physicalId === undefined) return `${type}  ${name}`;
  return `${type}  ${physicalId.includes(name) ? physicalId : `${name}  ${physicalId}`}`;
}
