import { metricHead } from '../prometheus-text.ts';
import type { CanaryReport, Outcome } from './report.ts';

/** Where the figures of runs go. */
export interface CanaryFigures {
  readonly ended: (product: string, report: Pick<CanaryReport, 'outcome' | 'seconds'>) => void;
}

/** Upper bounds of the histogram, in s: a tenant of ECS services takes minutes. */
const bounds = [1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800];

interface Histogram {
  readonly counts: number[];
  count: number;
  sum: number;
}

/** Figures in Prometheus' text format (0.0.4), of this process. */
export function textFigures(nowMs: () => number = Date.now): CanaryFigures & { readonly text: () => string } {
  const runs = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  const lastSuccess = new Map<string, number>();
  const observe = (labels: string, seconds: number) => {
    const known = durations.get(labels) ?? { counts: bounds.map(() => 0), count: 0, sum: 0 };
    bounds.forEach((bound, at) => {
      if (seconds <= bound) known.counts[at] = (known.counts[at] ?? 0) + 1;
    });
    durations.set(labels, Object.assign(known, { count: known.count + 1, sum: known.sum + seconds }));
  };
  return {
    ended: (product, { outcome, seconds }) => {
      const labels = labelsOf({ product, outcome });
      runs.set(labels, (runs.get(labels) ?? 0) + 1);
      for (const [phase, took] of Object.entries(seconds)) observe(labelsOf({ product, phase }), took);
      if (outcome === 'succeeded') lastSuccess.set(labelsOf({ product }), nowMs() / 1_000);
    },
    text: () =>
      [
        ...metricHead('tenantry_canary_runs_total', 'counter', 'Runs of the canary by how they ended.'),
        ...[...runs].map(([labels, count]) => `tenantry_canary_runs_total{${labels}} ${count}`),
        ...metricHead(
          'tenantry_canary_last_success_timestamp_seconds',
          'gauge',
          'When a run last succeeded, since 1970.',
        ),
        ...[...lastSuccess].map(
          ([labels, at]) => `tenantry_canary_last_success_timestamp_seconds{${labels}} ${at.toFixed(3)}`,
        ),
        ...metricHead('tenantry_canary_duration_seconds', 'histogram', 'How long the phases of runs took.'),
        ...[...durations].flatMap(([labels, histogram]) => histogramLines(labels, histogram)),
        '',
      ].join('\n'),
  };
}

function histogramLines(labels: string, { count, counts, sum }: Histogram): string[] {
  const name = 'tenantry_canary_duration_seconds';
  return [
    ...bounds.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${counts[at] ?? 0}`),
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum.toFixed(3)}`,
    `${name}_count{${labels}} ${count}`,
  ];
}

/** Names of products and the words of this folder: nothing that had to be escaped. */
function labelsOf(labels: { readonly product: string; readonly outcome?: Outcome; readonly phase?: string }): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
}
