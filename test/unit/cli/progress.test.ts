import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TenantEvent } from '../../../src/cli/api-client.ts';
import { advance, createProgressPrinter, emptyProgress, eventLine, renderProgress } from '../../../src/cli/progress.ts';

const start = Date.parse('2026-01-01T10:00:00.000Z');
let id = 0;
function event(
  seconds: number,
  type: TenantEvent['type'],
  stepId: string | null,
  data: Record<string, unknown> = {},
): TenantEvent {
  return {
    id: (id += 1),
    at: new Date(start + seconds * 1000).toISOString(),
    type,
    tenantId: '00000000-0000-4000-8000-000000000001',
    operationId: '00000000-0000-4000-8000-000000000002',
    stepId,
    data,
  };
}
const visible = (text = '') => text.replaceAll('\u001b', '<ESC>');
const plain = { color: false, width: 100 };
const render = (events: TenantEvent[], seconds: number, style = plain) =>
  renderProgress(events.reduce(advance, emptyProgress), start + seconds * 1000, style);

const run = [
  event(0, 'operation.accepted', null),
  event(1, 'operation.state', null, { from: 'accepted', to: 'running' }),
  event(1, 'step.started', 'validate', { attempt: 1 }),
  event(2, 'step.ready', 'validate', { durationMs: 1000 }),
  event(2, 'step.started', 'create_dns'),
  event(3, 'step.pending', 'create_dns', { detail: 'the change is PENDING' }),
];

describe('the line of a drift event', () => {
  const line = (change: string, data: Record<string, unknown>) =>
    eventLine(event(0, 'tenant.drift', 'create_alb_rule', { change, ...data }));

  it('says what is missing, changed or extra, and tells what appeared from what is gone again', () => {
    const missing = { is: 'missing', field: 'listener rule 7', wanted: null, found: null };
    expect(line('appeared', missing)).toBe('10:00:00  create_alb_rule  drift appeared: missing: listener rule 7');
    expect(line('gone', missing)).toBe('10:00:00  create_alb_rule  drift gone again: missing: listener rule 7');
    const changed = { is: 'changed', field: 'priority', wanted: 7, found: 9 };
    expect(line('changed', changed)).toBe('10:00:00  create_alb_rule  drift changed: changed: priority: 7 -> 9');
    const extra = { is: 'extra', field: 'tag', wanted: null, found: 'x' };
    expect(line('appeared', extra)).toBe('10:00:00  create_alb_rule  drift appeared: extra: tag "x"');
  });
});

describe('renderProgress', () => {
  it('shows a line per step with glyph and seconds; what is at work keeps counting', () => {
    expect(render(run, 10)).toEqual([
      '  ✔ validate         1.0 s  ready',
      '  ◔ create_dns       8.0 s  waiting  the change is PENDING',
      '  running 10.0 s',
    ]);
  });

  it('stops the clock of a step that was under way when the operation began to hold', () => {
    const held = [...run, event(8, 'operation.state', null, { from: 'running', to: 'holding' })];
    expect(render(held, 600)[1]).toContain('create_dns       6.0 s  waiting');
    const goesOn = [...held, event(700, 'step.started', 'create_dns')];
    expect(render(goesOn, 702)[1]).toContain('create_dns       2.0 s  making');
  });

  it('shows a state of a step and of the operation that a later release has, in its own words', () => {
    const later = [
      ...run,
      event(5, 'step.cooling', 'create_dns', { detail: 'at 4 degrees' }),
      event(6, 'operation.state', null, { from: 'running', to: 'hibernating' }),
    ];
    expect(render(later, 10)).toEqual([
      '  ✔ validate         1.0 s  ready',
      '  · create_dns       8.0 s  cooling  at 4 degrees',
      '  hibernating 10.0 s',
    ]);
  });

  it('shows failure, undo and what came of it; the clock stands once it is final', () => {
    const ended = [
      ...run,
      event(8, 'step.failed', 'create_dns', { code: 'OWNERSHIP_CONFLICT', message: 'another record is there' }),
      event(8, 'operation.state', null, {
        from: 'running',
        to: 'rolling-back',
        failure: { code: 'OWNERSHIP_CONFLICT', message: 'another record is there' },
      }),
      event(9, 'step.removing', 'create_dns'),
      event(10, 'step.removed', 'create_dns'),
      event(10, 'step.removing', 'validate'),
      event(10.5, 'step.remove-failed', 'validate', { message: 'locked' }),
      event(11, 'operation.state', null, { from: 'rolling-back', to: 'stuck' }),
    ];
    expect(render(ended, 500)).toEqual([
      '  ✘ validate         0.5 s  remove-failed  locked',
      '  ✘ create_dns       1.0 s  removed  (failed: OWNERSHIP_CONFLICT: another record is there)',
      '  stuck 11.0 s: OWNERSHIP_CONFLICT: another record is there',
    ]);
  });

  it('tells what is brought back from what is made, and keeps the failed step with its reason to the end', () => {
    const failure = { code: 'SERVICE_FAILED', message: 'it exits' };
    const back = [
      event(0, 'operation.state', null, { from: 'accepted', to: 'running' }),
      event(1, 'step.started', 'deploy'),
      event(2, 'step.failed', 'deploy', failure),
      event(3, 'operation.state', null, { from: 'running', to: 'rolling-back', failure }),
      event(4, 'step.started', 'deploy'),
    ];
    expect(render(back, 5)[0]).toBe('  ◑ deploy           1.0 s  bringing back  (failed: SERVICE_FAILED: it exits)');
    const ended = [
      ...back,
      event(6, 'step.ready', 'deploy', { durationMs: 2000 }),
      event(7, 'operation.state', null, { from: 'rolling-back', to: 'rolled-back' }),
    ];
    expect(render(ended, 99)[0]).toBe('  ✘ deploy           2.0 s  as before  (failed: SERVICE_FAILED: it exits)');
    expect(eventLine(ended[5]!, true)).toBe('10:00:06  deploy  as before in 2.0 s');
    // A retry of a hold begins anew.
    const again = [...back.slice(0, 3), event(9, 'step.started', 'deploy')];
    expect(render(again, 10)[0]).toBe('  ◐ deploy           1.0 s  making');
  });

  it('ends a success without the words of a failure that was fixed in a hold', () => {
    const failure = { code: 'BackendFailed', message: 'it exits' };
    const held = [...run, event(8, 'operation.state', null, { from: 'running', to: 'holding', failure })];
    expect(render(held, 9).at(-1)).toBe('  holding 9.0 s: BackendFailed: it exits');
    const goesOn = [...held, event(20, 'operation.state', null, { from: 'holding', to: 'running' })];
    expect(render(goesOn, 21).at(-1)).toBe('  running 21.0 s');
    const done = [...goesOn, event(30, 'operation.state', null, { from: 'committing', to: 'succeeded' })];
    expect(render(done, 99).at(-1)).toBe('  succeeded 30.0 s');
    // Taken back after the hold: the reason stays.
    const undone = [...held, event(20, 'operation.state', null, { from: 'holding', to: 'rolling-back' })];
    expect(render(undone, 21).at(-1)).toBe('  rolling-back 21.0 s: BackendFailed: it exits');
  });

  it('takes control characters out of details and cuts lines to the width', () => {
    const nasty = [event(0, 'step.pending', 'deploy_backend', { detail: `\u001b[2J${'long '.repeat(50)}` })];
    const [line] = render(nasty, 1, { color: false, width: 60 });
    expect(line).not.toContain('\u001b');
    expect(line!.length).toBeLessThanOrEqual(60);
  });

  it('is pure: the same events give the same view, and none is changed', () => {
    const frozen = run.map((e) => Object.freeze(e));
    expect(frozen.reduce(advance, Object.freeze(emptyProgress))).toEqual(run.reduce(advance, emptyProgress));
  });
});

describe('eventLine', () => {
  it('names who asked, where somebody did, and says when nobody knows who', () => {
    const ada = { principal: 'ada', role: 'platform-admin', requestId: 'r-1' } as const;
    const line = (type: TenantEvent['type'], data: Record<string, unknown>, caller: TenantEvent['caller']) =>
      eventLine({ ...event(0, type, null, data), caller });
    expect(line('operation.requested', { verb: 'retry' }, ada)).toBe(
      '10:00:00  operation.requested retry: asked by ada (platform-admin)',
    );
    expect(line('operation.requested', { verb: 'cancel', via: 'temporal' }, null)).toBe(
      "10:00:00  operation.requested cancel: asked by an unknown caller with Temporal's own tools",
    );
    expect(line('operation.state', { from: 'stuck', to: 'superseded' }, ada)).toContain('asked by ada');
    // Of what the run does, and of an API that does not know callers, there is nothing to say.
    expect(line('operation.state', { from: 'accepted', to: 'running' }, ada)).toBe('10:00:00  operation.state running');
    expect(line('operation.accepted', {}, undefined)).toBe('10:00:00  operation.accepted');
  });

  it('says what happened in one line', () => {
    expect(eventLine(run[3]!)).toBe('10:00:02  validate  ready in 1.0 s');
    expect(eventLine(event(4, 'step.failed', 'create_dns', { code: 'X_Y', message: 'a\nb' }))).toBe(
      '10:00:04  create_dns  failed: X_Y: a b',
    );
    expect(eventLine(run[1]!)).toBe('10:00:01  operation.state running');
  });
});

describe('createProgressPrinter', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes plain lines where there is no terminal', () => {
    let text = '';
    const printer = createProgressPrinter({ write: (t: string) => (text += t) });
    for (const e of run) printer.event(e);
    expect(printer.finish().steps.map((s) => s.id)).toEqual(['validate', 'create_dns']);
    expect(text).not.toContain('\u001b');
    expect(text.trimEnd().split('\n')).toHaveLength(6);
  });

  it('says which steps it waits for when no event comes for 15 s', () => {
    vi.setSystemTime(new Date('2026-01-01T10:00:00Z'));
    let text = '';
    const printer = createProgressPrinter({ write: (t: string) => (text += t) });
    const begun = { ...event(2, 'step.removing', 'create_topic'), at: '2026-01-01T10:00:00.000Z' };
    printer.event(begun);
    vi.advanceTimersByTime(14_000);
    printer.event({ ...begun, id: 3, stepId: 'create_queue' });
    vi.advanceTimersByTime(14_999);
    expect(text).not.toContain('waiting');
    vi.advanceTimersByTime(1);
    expect(text.trimEnd().split('\n').at(-1)).toBe(
      '10:00:29  waiting: create_topic removing for 29.0 s; create_queue removing for 29.0 s',
    );
    printer.event({ ...begun, id: 4, type: 'step.removed', at: '2026-01-01T10:00:30.000Z' });
    printer.finish();
    vi.advanceTimersByTime(60_000);
    expect(text.match(/waiting/g)).toHaveLength(1);
  });

  it('redraws its own lines on a terminal, keeps notes above them, and stops with finish', () => {
    const writes: string[] = [];
    const printer = createProgressPrinter(
      { write: (t: string) => writes.push(t), isTTY: true, columns: 80 },
      { color: false },
    );
    for (const e of run) printer.event(e);
    expect(visible(writes.at(-1))).toMatch(/^<ESC>\[3A\r<ESC>\[J {2}✔ validate/);
    vi.advanceTimersByTime(1000);
    expect(writes.length).toBeGreaterThanOrEqual(run.length + 5);
    printer.note('held');
    expect(visible(writes.at(-1))).toMatch(/^<ESC>\[3A\r<ESC>\[Jheld\n {2}✔/);
    printer.finish();
    const before = writes.length;
    vi.advanceTimersByTime(5000);
    expect(writes).toHaveLength(before);
  });
});

describe('a small terminal', () => {
  it('shows the last lines that fit, so that redrawing never reaches what scrolled away', () => {
    const writes: string[] = [];
    const output = { write: (t: string) => writes.push(t), isTTY: true, columns: 80, rows: 3 };
    const printer = createProgressPrinter(output, { color: false });
    for (const e of run) printer.event(e);
    printer.finish();
    expect(visible(writes.at(-1))).toMatch(/^<ESC>\[2A\r<ESC>\[J {2}◔ create_dns[^\n]*\n {2}running[^\n]*\n$/);
  });
});
