import type { readResults } from './results.ts';

/** What of `lifecycle` the page shows. */
export interface LifecycleFigures {
  readonly alone: {
    readonly tookMs: number;
    readonly criticalPathMs: number;
    readonly ratio: number;
    readonly events: number;
    readonly actions: number;
    readonly route53: Readonly<Record<string, number>>;
  };
  readonly wave: {
    readonly tenants: number;
    readonly tookMs: number;
    readonly allowedMs: number;
    readonly tightest: string;
    readonly ratio: number;
    readonly actionsPerTenant: number;
    readonly eventsPerTenant: number;
    readonly turnsAwaited: number;
    readonly attemptsAgain: number;
    readonly throttledByAws: Readonly<Record<string, number>>;
  };
}

interface Percentiles {
  /** Answered by 503, of all bursts together. */
  readonly refused: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What of `accept` the page shows. */
export interface AcceptFigures {
  readonly burst: number;
  readonly rounds: number;
  /** As many GET /healthz at once, in the same runs: what HTTP and the machine take. */
  readonly yardstickP99Ms: number;
  /** As many bare starts of a run, and bare inserts, at once, between the bursts without a worker. Absent: an earlier result. */
  readonly floor?: { readonly startP99Ms: number; readonly insertP99Ms: number } | undefined;
  readonly withoutWorker: Percentiles;
  readonly besideWorker: Percentiles;
}

/** What of `changes` the page shows. */
export interface ChangesFigures {
  /** During each, requests at the tenant's address, ten a second. */
  readonly operations: readonly {
    readonly title: string;
    readonly tookMs: number;
    readonly asked: number;
    readonly failed: number;
  }[];
}

/** What of `router` the page shows. */
export interface RouterFigures {
  /** Of each kind, by each of the two. */
  readonly calls: number;
  readonly operations: readonly {
    readonly title: string;
    readonly bareP50Ms: number;
    readonly routedP50Ms: number;
    readonly ratio: number;
  }[];
}

/** What of `fairness` the page shows. */
export interface FairnessFigures {
  readonly rounds: number;
  /** Of one caller's requests, sent as fast as they are answered, so many at once: by the status of their answers. */
  readonly flood: {
    readonly sent: number;
    readonly atOnce: number;
    readonly statuses: Readonly<Record<string, number>>;
    readonly tookMs: number;
  };
  /** Another caller's, one after the other. */
  readonly alone: { readonly asked: number; readonly p50Ms: number; readonly p99Ms: number };
  readonly beside: { readonly asked: number; readonly p50Ms: number; readonly p99Ms: number; readonly refused: number };
}

/** The page of benchmarks, from the raw figures of their last runs. */
export function renderBenchmarks({
  lifecycle,
  accept,
  changes,
  router,
  fairness,
}: ReturnType<typeof readResults>): string {
  const rows = [
    ...(lifecycle ? lifecycleRows(lifecycle.figures) : []),
    ...(accept ? acceptRows(accept.figures) : []),
    ...(changes ? changesRows(changes.figures) : []),
    ...(router ? routerRows(router.figures) : []),
    ...(fairness ? fairnessRows(fairness.figures) : []),
  ];
  const runs = Object.entries({ lifecycle, accept, changes, router, fairness }).flatMap(([name, result]) =>
    result
      ? [
          `- \`${name}\`: ${result.at.slice(0, 10)}, commit ${result.commit}, ${result.machine}, load before it ${result.loadBefore}`,
        ]
      : [],
  );
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench` from the raw figures in `bench/results/`; nothing here is typed by hand. What is compared was measured',
    'in one run. `npm run bench -- lifecycle`, `accept`, `changes`, `router` and `fairness` run one of them.',
    '',
    '| what | seen | against | ratio | target |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    'The critical path is the time that the emulated AWS itself took over the two services, one after the other, in AWS-like time. What the',
    "tightest bucket allows a wave is the time of the tenant alone and the time in which AWS's bucket gives the changing calls of all tenants",
    'beyond its burst. An action is what a hosted Temporal bills: a start, an attempt of an activity, a timer, a signal, an Update, an upsert of search',
    'attributes. "Waited for their turn": activities that ended because their turn at a rate limit came past their time; they used up no attempt',
    '([ADR 12](adr/0012-rate-limits-are-shared-by-leases.md)).',
    '',
    'Runs (a load above the number of cores means that others used them: times are then longer than they would be):',
    '',
    ...runs,
    '',
  ].join('\n');
}

type Row = readonly [what: string, seen: string, against: string, ratio: string, target: string];

function lifecycleRows({ alone, wave }: LifecycleFigures): Row[] {
  const route53Calls = sum(alone.route53);
  const throttled = sum(wave.throttledByAws);
  return [
    [
      'time to ready of one tenant',
      seconds(alone.tookMs),
      `critical path ${seconds(alone.criticalPathMs)}`,
      alone.ratio.toFixed(3),
      target('at most 1.02', alone.ratio <= 1.02),
    ],
    ['Temporal actions of one tenant', String(alone.actions), '', '', target('at most 35', alone.actions <= 35)],
    ['history events of one tenant', String(alone.events), '', '', target('at most 200', alone.events <= 200)],
    ['Route 53 calls of one tenant', String(route53Calls), '', '', ''],
    [
      `a wave of ${wave.tenants} tenants under AWS's limits`,
      seconds(wave.tookMs),
      `${seconds(wave.allowedMs)} (${wave.tightest})`,
      wave.ratio.toFixed(3),
      target('at least 0.95', wave.ratio >= 0.95),
    ],
    ['Temporal actions of a tenant in the wave', wave.actionsPerTenant.toFixed(1), '', '', ''],
    ['history events of a tenant in the wave', wave.eventsPerTenant.toFixed(1), '', '', ''],
    ['activities of the wave that waited for their turn', String(wave.turnsAwaited), '', '', 'no attempt used up'],
    [
      'attempts of the wave that failed or ran out of time',
      String(wave.attemptsAgain),
      '',
      '',
      target('0', wave.attemptsAgain === 0),
    ],
    ['calls of the wave that AWS throttled', String(throttled), '', '', target('0', throttled === 0)],
  ];
}

/** A target that was missed is said to be. */
function target(wanted: string, isMet: boolean): string {
  return isMet ? `${wanted}: met` : `${wanted}: **missed**`;
}

function acceptRows({ burst, rounds, withoutWorker, besideWorker, yardstickP99Ms, floor }: AcceptFigures): Row[] {
  const row = (what: string, { p50Ms, p99Ms, refused }: Percentiles, wanted: string): Row => [
    `POST to 202, ${burst} at once, ${what} (median of ${rounds} bursts)`,
    `p50 ${p50Ms} ms, p99 ${p99Ms} ms; ${refused} of ${burst * rounds} answered 503`,
    `p99 ${yardstickP99Ms} ms of as many GET /healthz`,
    (p99Ms / yardstickP99Ms).toFixed(1),
    wanted,
  ];
  return [
    row('no worker on the same cores', withoutWorker, target('p99 at most 50 ms', withoutWorker.p99Ms <= 50)),
    ...(floor ? [floorRow(burst, withoutWorker, floor)] : []),
    row('beside a worker', besideWorker, ''),
  ];
}

function changesRows({ operations }: ChangesFigures): Row[] {
  return operations.map(({ title, tookMs, asked, failed }) => [
    `requests at a tenant's address that failed, ten a second: ${title}`,
    `${failed} of ${asked}`,
    seconds(tookMs),
    '',
    target('0', failed === 0),
  ]);
}

function routerRows({ calls, operations }: RouterFigures): Row[] {
  return operations.map(({ title, bareP50Ms, routedP50Ms, ratio }) => [
    `the router of accounts, cache warm, ${calls} calls: ${title}`,
    `p50 ${routedP50Ms} ms`,
    `p50 ${bareP50Ms} ms of the bare document client, in turn`,
    ratio.toFixed(3),
    target('at most 1.05', ratio <= 1.05),
  ]);
}

function fairnessRows({ alone, beside, flood }: FairnessFigures): Row[] {
  const answers = Object.entries(flood.statuses).map(([status, count]) => `${count} by ${status}`);
  const row = (name: 'p50' | 'p99', of: 'p50Ms' | 'p99Ms', isHeld: boolean): Row => [
    `GET of the list of tenants, one after the other, while another caller sends ${flood.sent}, ${flood.atOnce} at once: ${name}`,
    `${beside[of]} ms (${beside.asked} asked, ${beside.refused} refused; the other's answered in ${seconds(flood.tookMs)}, ${answers.join(', ')})`,
    `${alone[of]} ms without the other, in the same run`,
    (beside[of] / alone[of]).toFixed(2),
    isHeld ? target('at most 2', beside[of] <= 2 * alone[of] && beside.refused === 0) : '',
  ];
  return [row('p50', 'p50Ms', false), row('p99', 'p99Ms', true)];
}

/** The answer waits for the start: what Temporal's development server takes for it on these cores is not ours. */
function floorRow(
  burst: number,
  { p99Ms }: Percentiles,
  { startP99Ms, insertP99Ms }: NonNullable<AcceptFigures['floor']>,
): Row {
  return [
    'the same, against what its two writes take alone',
    `p99 ${p99Ms} ms`,
    `p99 ${startP99Ms} ms of ${burst} bare starts in Temporal at once, ${insertP99Ms} ms of ${burst} bare inserts`,
    (p99Ms / (startP99Ms + insertP99Ms)).toFixed(2),
    '',
  ];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
