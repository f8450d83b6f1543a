import type { TenantEvent } from './api-client.ts';
import { differenceText } from './drift-output.ts';
import type { Open, Unlisted } from './open-answers.ts';
import { isOneOf } from './one-of.ts';
import type { Subject } from './subject.ts';
import { oneLine } from './text.ts';
import { eventTypes, type EventType } from '../contracts/events.ts';
import { closedOperationStates, type OperationState } from '../contracts/operation-state.ts';

export type StepState =
  | 'making'
  | 'waiting'
  | 'ready'
  | 'skipped'
  | 'failed'
  | 'removing'
  | 'removed'
  | 'remove-failed'
  // On the way back, of what was there before the operation.
  | 'bringing back'
  | 'as before';

export interface StepLine {
  readonly id: string;
  /** Of an event that a later release knows: the event's own word. */
  readonly state: StepState | Unlisted;
  readonly startedAtMs: number;
  /** Undefined while the step is at work. */
  readonly endedAtMs: number | undefined;
  readonly detail: string | undefined;
  /** Why the operation could not make it: stays while it goes back, and at its end. */
  readonly failure: string | undefined;
}

/** What is known of an operation from its events so far. Steps are in the order in which they began. */
export interface ProgressView {
  readonly state: Open<OperationState> | undefined;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly failure: string | undefined;
  readonly steps: readonly StepLine[];
}

export const emptyProgress: ProgressView = {
  state: undefined,
  startedAtMs: undefined,
  endedAtMs: undefined,
  failure: undefined,
  steps: [],
};

/** The view after one more event. Pure. */
export function advance(view: ProgressView, event: TenantEvent): ProgressView {
  const atMs = Date.parse(event.at);
  const started = { ...view, startedAtMs: view.startedAtMs ?? atMs };
  if (event.stepId !== null) return { ...started, steps: advanceStep(view, event.stepId, event, atMs) };
  if (event.type === 'operation.accepted') return { ...started, state: 'accepted' };
  if (event.type !== 'operation.state') return started;
  const to = textOf(event.data.to);
  if (to === undefined) return started;
  const failure = failureText(event.data.failure) ?? (isOneOf(statesOfProgress, to) ? undefined : view.failure);
  const steps = to === 'holding' || isFinal(to) ? view.steps.map((step) => stopped(step, atMs)) : view.steps;
  return { ...started, state: to, failure, steps, endedAtMs: isFinal(to) ? atMs : undefined };
}

/** What failed before says nothing of these: it goes on, or it has succeeded. */
const statesOfProgress: readonly OperationState[] = ['running', 'committing', 'succeeded'];

/** While the operation waits for a person, or is closed, nobody is at work on a step: its clock stands. */
function stopped(step: StepLine, atMs: number): StepLine {
  return step.endedAtMs === undefined ? { ...step, endedAtMs: atMs } : step;
}

/** Nothing more happens by itself: the operation is closed, or stuck until somebody acts. */
export function isFinal(state: Open<OperationState>): boolean {
  return state === 'stuck' || isOneOf(closedOperationStates, state);
}

/** In a later release's word when this one does not know the event. */
function stateAfter(type: TenantEvent['type'], goesBack: boolean): StepLine['state'] {
  const state = isOneOf(eventTypes, type) ? stepStates[type] : undefined;
  const before = goesBack && state !== undefined ? statesOnTheWayBack[state] : undefined;
  return before ?? state ?? type.replace(/^step\./, '');
}

const statesOnTheWayBack: Partial<Record<StepState, StepState>> = {
  making: 'bringing back',
  waiting: 'bringing back',
  ready: 'as before',
  skipped: 'as before',
};

const stepStates: Partial<Record<EventType, StepState>> = {
  'step.started': 'making',
  'step.pending': 'waiting',
  'step.ready': 'ready',
  'step.skipped': 'skipped',
  'step.failed': 'failed',
  'step.removing': 'removing',
  'step.removed': 'removed',
  'step.remove-failed': 'remove-failed',
};
const settled: readonly string[] = [
  'ready',
  'skipped',
  'failed',
  'removed',
  'remove-failed',
  'as before',
] satisfies StepState[];

function advanceStep(view: ProgressView, id: string, event: TenantEvent, atMs: number): StepLine[] {
  const { steps } = view;
  const goesBack = view.state === 'rolling-back';
  const state = stateAfter(event.type, goesBack);
  const before = steps.find((step) => step.id === id);
  const continues = before?.endedAtMs === undefined && isRemoval(before?.state) === isRemoval(state);
  const after: StepLine = {
    id,
    state,
    startedAtMs: before && continues ? before.startedAtMs : atMs,
    endedAtMs: settled.includes(state) ? atMs : undefined,
    detail: textOf(event.data.detail) ?? textOf(event.data.message),
    failure: state === 'failed' ? failureText(event.data) : goesBack ? before?.failure : undefined,
  };
  return before ? steps.map((step) => (step === before ? after : step)) : [...steps, after];
}

function isRemoval(state: StepLine['state'] | undefined): boolean {
  return state === 'removing' || state === 'removed' || state === 'remove-failed';
}

const glyphs: Record<StepState, string> = {
  making: '◐',
  waiting: '◔',
  ready: '✔',
  skipped: '✔',
  failed: '✘',
  removing: '◑',
  removed: '○',
  'remove-failed': '✘',
  'bringing back': '◑',
  'as before': '✔',
};
const colors: Record<StepState, number> = {
  making: 36,
  waiting: 36,
  ready: 32,
  skipped: 32,
  failed: 31,
  removing: 33,
  removed: 90,
  'remove-failed': 31,
  'bringing back': 33,
  'as before': 32,
};

function glyphOf({ endedAtMs, failure, state }: StepLine, style: RenderStyle): string {
  if (failure !== undefined && endedAtMs !== undefined) return paint(glyphs.failed, colors.failed, style);
  return isStepState(state) ? paint(glyphs[state], colors[state], style) : '·';
}

function isStepState(state: string): state is StepState {
  return Object.hasOwn(glyphs, state);
}

export interface RenderStyle {
  readonly color: boolean;
  /** Columns of the terminal; longer lines are cut. */
  readonly width: number;
}

/** One line per step with glyph and seconds, and one for the operation. Pure. */
export function renderProgress(view: ProgressView, nowMs: number, style: RenderStyle): string[] {
  const longest = Math.max(12, ...view.steps.map((step) => step.id.length));
  const lines = view.steps.map((step) => {
    const detail = step.detail === undefined ? '' : `  ${oneLine(step.detail)}`;
    const failed = step.failure === undefined || step.state === 'failed' ? '' : `  (failed: ${oneLine(step.failure)})`;
    const seconds = secondsOf(step.startedAtMs, step.endedAtMs ?? nowMs);
    const text = cut(`${step.id.padEnd(longest)}  ${seconds}  ${step.state}${failed}${detail}`, style.width - 4);
    return `  ${glyphOf(step, style)} ${text}`;
  });
  if (view.state === undefined || view.startedAtMs === undefined) return lines;
  const failure = view.failure === undefined ? '' : `: ${oneLine(view.failure)}`;
  const total = secondsOf(view.startedAtMs, view.endedAtMs ?? nowMs);
  return [...lines, cut(`  ${view.state} ${total.trim()}${failure}`, style.width)];
}

/**
 * One event as one line, for logs and pipes; undefined for events that say nothing to people. Pure.
 * @param goesBack its operation is on its way back: what it makes is what was there before
 * @param noun what the tenant is called
 */
export function eventLine(event: TenantEvent, goesBack = false, noun: Subject['noun'] = 'tenant'): string | undefined {
  const time = event.at.slice(11, 19);
  const { data } = event;
  const type = event.type.replace(/^tenant\./, `${noun}.`);
  if (event.type === 'tenant.drift') return `${time}  ${event.stepId ?? type}  ${driftText(data)}`;
  if (event.stepId !== null) {
    const state = stateAfter(event.type, goesBack);
    const took = typeof data.durationMs === 'number' ? ` in ${(data.durationMs / 1000).toFixed(1)} s` : '';
    const why = [data.code, data.message, data.detail].flatMap((part) => textOf(part) ?? []).map(oneLine);
    return `${time}  ${event.stepId}  ${state}${took}${why.length > 0 ? `: ${why.join(': ')}` : ''}`;
  }
  const to = textOf(data.to);
  const failure = failureText(data.failure);
  const what = to ?? textOf(data.verb) ?? detailsText(event);
  const said = [failure, auditText(data), askerText(event)].flatMap((part) =>
    part === undefined ? [] : [oneLine(part)],
  );
  return `${time}  ${type}${what === undefined ? '' : ` ${what}`}${said.length > 0 ? `: ${said.join('; ')}` : ''}`;
}

function driftText({ change, is, field, wanted, found }: TenantEvent['data']): string {
  const difference = differenceText({ is: textOf(is) ?? '', field: textOf(field) ?? '', wanted, found });
  return `drift ${change === 'gone' ? 'gone again' : (textOf(change) ?? 'seen')}: ${difference}`;
}

/** Where a printer writes; `process.stdout` is one. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** What Node makes of TERM and NO_COLOR. */
  hasColors?(): boolean;
}

export interface ProgressPrinter {
  event(event: TenantEvent): void;
  /** A line of its own, above the live lines. */
  note(text: string): void;
  /** Leaves the last picture on the screen and stops the clock. */
  finish(): ProgressView;
}

const REDRAW_MS = 200;
/** Without an event for so long, people ask what it waits for. */
const QUIET_MS = 15_000;

/** Live lines on a terminal; elsewhere one plain line per event. */
export function createProgressPrinter(
  output: ProgressOutput,
  options: { live?: boolean; color?: boolean; quietMs?: number; noun?: Subject['noun'] } = {},
): ProgressPrinter {
  const live = options.live ?? output.isTTY === true;
  if (!live) return createLinePrinter(output, options.quietMs ?? QUIET_MS, options.noun);
  let view = emptyProgress;
  let drawn = 0;
  const draw = (above = '') => {
    const style = { color: options.color ?? output.hasColors?.() ?? false, width: output.columns ?? 80 };
    const lines = fitting(renderProgress(view, Date.now(), style), output.rows ?? 24);
    const up = drawn > 0 ? `\u001b[${drawn}A\r\u001b[J` : '';
    output.write(`${up}${above}${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
  };
  const clock = setInterval(() => draw(), REDRAW_MS);
  clock.unref();
  return {
    event: (event) => {
      view = advance(view, event);
      draw();
    },
    note: (text) => draw(`${text}\n`),
    finish: () => {
      clearInterval(clock);
      draw();
      return view;
    },
  };
}

/** One line per event; when none comes for a while, one that says which steps are waited for. */
function createLinePrinter(output: ProgressOutput, quietMs: number, noun?: Subject['noun']): ProgressPrinter {
  let view = emptyProgress;
  const clock = setInterval(() => {
    const line = waitingLine(view, Date.now());
    if (line !== undefined) output.write(`${line}\n`);
  }, quietMs);
  clock.unref();
  return {
    event: (event) => {
      const line = eventLine(event, view.state === 'rolling-back', noun);
      view = advance(view, event);
      if (line !== undefined) output.write(`${line}\n`);
      clock.refresh();
    },
    note: (text) => void output.write(`${text}\n`),
    finish: () => {
      clearInterval(clock);
      return view;
    },
  };
}

/** The steps at work, each with how long it is; undefined when none is. Pure. */
export function waitingLine({ steps }: ProgressView, nowMs: number): string | undefined {
  const waiting = steps.filter(({ endedAtMs }) => endedAtMs === undefined);
  if (waiting.length === 0) return undefined;
  const said = waiting.map(({ id, state, startedAtMs, detail }) => {
    const why = detail === undefined ? '' : `: ${oneLine(detail)}`;
    return `${id} ${state} for ${secondsOf(startedAtMs, nowMs).trim()}${why}`;
  });
  return `${new Date(nowMs).toISOString().slice(11, 19)}  waiting: ${said.join('; ')}`;
}

/** The last lines that fit on the screen: the cursor cannot go back to what has scrolled away. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  return lines.length < rows ? lines : lines.slice(lines.length - rows + 1);
}

function secondsOf(fromMs: number, toMs: number): string {
  return `${(Math.max(0, toMs - fromMs) / 1000).toFixed(1)} s`.padStart(8);
}

function paint(text: string, color: number, style: RenderStyle): string {
  return style.color ? `\u001b[${color}m${text}\u001b[0m` : text;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function detailsText({ type, data }: TenantEvent): string | undefined {
  if (type !== 'tenant.details') return undefined;
  return oneLine(Object.keys(data).join(', '));
}

/** Code, message and detail of a failure in an event's data, in one line. */
export function failureText(failure: unknown): string | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { code, message, detail } = failure as { code?: unknown; message?: unknown; detail?: unknown };
  const parts = [textOf(code), textOf(message), textOf(detail)].filter((part) => part !== undefined);
  return parts.length > 0 ? oneLine(parts.join(': ')) : undefined;
}

/** Of what somebody asked for: who. What a run does by itself is done for whoever asked for its operation. */
function askerText({ type, caller, data }: TenantEvent): string | undefined {
  const isClosing = type === 'operation.state' && (data.to === 'superseded' || data.to === 'abandoned');
  if (caller === undefined || !(isClosing || isOneOf(requestTypes, type))) return undefined;
  return `asked by ${callerText(caller)}${data.via === 'temporal' ? " with Temporal's own tools" : ''}`;
}

const requestTypes = [
  'tenant.details',
  'operation.accepted',
  'operation.requested',
  'operation.request-refused',
] as const;

/** Who it was, for people; null: nobody knows. */
export function callerText(caller: Exclude<TenantEvent['caller'], undefined>): string {
  return caller === null ? 'an unknown caller' : `${caller.principal} (${caller.role})`;
}

/** Of an abandonment: why, who and in which request. */
function auditText({ reason, by, requestId }: TenantEvent['data']): string | undefined {
  const why = textOf(reason);
  if (why === undefined) return undefined;
  return [why, textOf(by) && `by ${textOf(by)}`, textOf(requestId) && `request ${textOf(requestId)}`]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
}
