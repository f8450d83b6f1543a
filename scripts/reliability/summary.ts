import { z } from 'zod';

/** Lines that the chaos suites write (test/chaos/results.ts), as far as the page needs them. */
const line = z.discriminatedUnion('section', [
  z.looseObject({
    section: z.literal('fault'),
    /** The kind whose step makes the call; `-`: a statement of PostgreSQL in a tenant's whole life. */
    of: z.string(),
    phase: z.string(),
    verb: z.string(),
    call: z.string(),
    nth: z.number(),
    fault: z.string(),
    ending: z.string(),
    hit: z.boolean(),
    outcome: z.string(),
    problems: z.array(z.string()).optional(),
  }),
  z.looseObject({
    section: z.literal('kill'),
    boundary: z.string(),
    operation: z.string(),
    progressMs: z.number(),
    stepProgressMs: z.number().optional(),
    outcome: z.string(),
  }),
  z.looseObject({ section: z.literal('server'), case: z.string() }),
  z.looseObject({
    section: z.literal('sweep'),
    case: z.string(),
    planted: z.number(),
    found: z.number(),
    open: z.number(),
  }),
  z.looseObject({
    section: z.literal('random'),
    seed: z.number(),
    tenants: z.number(),
    operations: z.number(),
    steps: z.number(),
    kills: z.number(),
    faults: z.record(z.string(), z.number()),
    ends: z.record(z.string(), z.number()),
    leaks: z.number(),
    seconds: z.number(),
  }),
  z.looseObject({
    section: z.literal('mutant'),
    id: z.string(),
    mistake: z.string(),
    suite: z.string(),
    caughtBy: z.string().nullable(),
    why: z.string().optional(),
  }),
]);
type Line = z.infer<typeof line>;
type LineOf<S extends Line['section']> = Extract<Line, { section: S }>;

/** Where and when the numbers were taken. */
export interface RunFacts {
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly cores: number;
  readonly seconds: number;
  /** Whether seeded samples were run in the place of all cases. */
  readonly isSample: boolean;
}

export type Summary = ReturnType<typeof summarize>;

/** @throws z.ZodError on a line that no suite writes. */
export function readResults(text: string): Line[] {
  return text
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => line.parse(JSON.parse(l)));
}

/** All numbers of the page. */
export function summarize(lines: readonly Line[], run: RunFacts) {
  const of = <S extends Line['section']>(section: S) => lines.filter((l): l is LineOf<S> => l.section === section);
  const random = of('random');
  const sweep = of('sweep');
  const faults = summarizeFaults(of('fault'));
  return {
    run,
    faults,
    kills: summarizeKills(of('kill')),
    servers: of('server').map(({ section: _, at: __, ...facts }) => facts),
    sweep: sweep.map(({ section: _, at: __, ...facts }) => facts),
    random: random.map(({ section: _, at: __, ...facts }) => facts),
    mutants: of('mutant').map(({ id, mistake, suite, caughtBy, why }) => ({ id, mistake, suite, caughtBy, why })),
    leaks: {
      left: random.reduce((sum, r) => sum + r.leaks, 0) + faults.leaks,
      planted: sweep.reduce((sum, s) => sum + s.planted, 0),
      found: sweep.reduce((sum, s) => sum + s.found, 0),
      open: random.reduce((sum, r) => sum + r.leaks, 0) + faults.leaks + sweep.reduce((sum, s) => sum + s.open, 0),
    },
  };
}

function summarizeFaults(lines: readonly LineOf<'fault'>[]) {
  // Where a step looks at nothing after its change, a stale look is no case.
  const applicable = lines.filter((l) => l.outcome !== 'not applicable');
  const pointOf = ({ of, phase, verb, call, nth, fault }: LineOf<'fault'>) =>
    JSON.stringify([of, phase, verb, call, nth, fault]);
  const points = new Set(applicable.map(pointOf));
  const covered = new Set(applicable.filter((l) => l.hit).map(pointOf));
  return {
    points: points.size,
    covered: covered.size,
    cases: applicable.length,
    notApplicable: new Set(lines.filter((l) => l.outcome === 'not applicable').map(pointOf)).size,
    byFault: table(
      applicable,
      (l) => l.fault,
      (l) => l.outcome,
    ),
    byStep: counts(applicable.map((l) => l.of)),
    leaks: applicable.filter((l) => (l.problems ?? []).length > 0).length,
  };
}

function summarizeKills(lines: readonly LineOf<'kill'>[]) {
  const of = (chosen: readonly LineOf<'kill'>[]) => ({
    count: chosen.length,
    progressMs: percentiles(chosen.map((l) => l.progressMs)),
    stepProgressMs: percentiles(chosen.flatMap((l) => l.stepProgressMs ?? [])),
    outcomes: counts(chosen.map((l) => l.outcome)),
  });
  const boundaries = [...new Set(lines.map((l) => l.boundary))].sort();
  const operations = [...new Set(lines.map((l) => l.operation))].sort();
  const byOperation = operations.map((operation) => ({
    operation,
    ...of(lines.filter((l) => l.operation === operation)),
  }));
  return {
    ...of(lines),
    byBoundary: boundaries.map((boundary) => ({ boundary, ...of(lines.filter((l) => l.boundary === boundary)) })),
    // Not in the numbers of older runs.
    byOperation: byOperation.length > 0 ? byOperation : undefined,
  };
}

/** The target of design.md for the next progress after a worker was killed. */
export const PROGRESS_TARGET_MS = 12_000;

/** Median and maximum, in ms, and how many kept to {@link PROGRESS_TARGET_MS}. */
function percentiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    max: Math.round(sorted.at(-1) ?? 0),
    inTime: values.filter((ms) => ms <= PROGRESS_TARGET_MS).length,
    of: values.length,
  };
}

function counts(values: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const value of [...values].sort()) counted[value] = (counted[value] ?? 0) + 1;
  return counted;
}

function table<T>(items: readonly T[], row: (item: T) => string, column: (item: T) => string) {
  const rows = [...new Set(items.map(row))].sort();
  return Object.fromEntries(rows.map((name) => [name, counts(items.filter((item) => row(item) === name).map(column))]));
}
