/** What a process tells of itself by OpenTelemetry; where it goes is read from `OTEL_*` by the library's own exporters. */
export interface TelemetryConfig {
  readonly traces: boolean;
  readonly metrics: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const signals = ['TRACES', 'METRICS'] as const;
type Signal = (typeof signals)[number];

/**
 * Reads the variables of the OpenTelemetry specification. Nothing is sent unless an endpoint, or the exporter `otlp`, is named.
 * What the libraries would pass over with a line in a log that nobody reads is refused.
 * @throws TelemetryConfigError with every problem
 */
export function telemetryConfigOf(env: Environment): TelemetryConfig {
  const given = withoutEmpty(env);
  const problems = [
    ...urlProblems(given),
    ...signals.flatMap((signal) => exporterProblems(given, signal)),
    ...['', ...signals.map((signal) => `${signal}_`)].flatMap((part) => protocolProblems(given, part)),
    ...samplerProblems(given),
    ...numberProblems(given),
  ];
  if (problems.length > 0) throw new TelemetryConfigError(problems);
  return { traces: isSent(given, 'TRACES'), metrics: isSent(given, 'METRICS') };
}

/** Raised when variables of OpenTelemetry cannot be used; lists every problem. */
export class TelemetryConfigError extends Error {
  override readonly name = 'TelemetryConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

function isSent(env: Environment, signal: Signal): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  const exporter = env[`OTEL_${signal}_EXPORTER`];
  if (exporter !== undefined) return exporter === 'otlp';
  return env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] !== undefined;
}

/** The specification: an empty variable is one that is not set. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}

function urlProblems(env: Environment): string[] {
  const names = ['ENDPOINT', ...signals.map((signal) => `${signal}_ENDPOINT`)].map((n) => `OTEL_EXPORTER_OTLP_${n}`);
  return names.flatMap((name) => {
    const value = env[name];
    if (value === undefined || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))) return [];
    return [`${name} must be an http(s) URL`];
  });
}

function exporterProblems(env: Environment, signal: Signal): string[] {
  const name = `OTEL_${signal}_EXPORTER`;
  const value = env[name];
  return value === undefined || ['otlp', 'none'].includes(value) ? [] : [`${name} must be otlp or none`];
}

function protocolProblems(env: Environment, part: string): string[] {
  const name = `OTEL_EXPORTER_OTLP_${part}PROTOCOL`;
  const value = env[name];
  if (value === undefined || value === 'http/protobuf') return [];
  return [`${name} must be http/protobuf: no other is spoken here (a collector takes it on port 4318)`];
}

/** Source: OpenTelemetry's specification, "Environment Variable Specification". */
const samplers = ['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]);

function samplerProblems(env: Environment): string[] {
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument } = env;
  if (sampler !== undefined && !samplers.includes(sampler))
    return [`OTEL_TRACES_SAMPLER must be one of ${samplers.join(', ')}`];
  if (argument === undefined || !sampler?.endsWith('traceidratio')) return [];
  const ratio = Number(argument);
  return ratio >= 0 && ratio <= 1 ? [] : ['OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1'];
}

const numbers = [
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
  'OTEL_EXPORTER_OTLP_METRICS_TIMEOUT',
  'OTEL_BSP_SCHEDULE_DELAY',
  'OTEL_BSP_EXPORT_TIMEOUT',
  'OTEL_BSP_MAX_QUEUE_SIZE',
  'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_METRIC_EXPORT_TIMEOUT',
];

function numberProblems(env: Environment): string[] {
  return numbers.flatMap((name) => {
    const value = env[name];
    return value === undefined || /^[1-9]\d{0,8}$/.test(value) ? [] : [`${name} must be a whole number from 1 on`];
  });
}
