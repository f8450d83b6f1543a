import { hostname } from 'node:os';
import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  envDetector,
  resourceFromAttributes,
  detectResources,
  type Resource,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Logger } from 'pino';
import { withinLimit } from '../time-limit.ts';

export interface Tracing {
  /** Sends what is left, within 3 s; then nothing more is recorded. */
  readonly stop: () => Promise<void>;
}

const STOP_MS = 3_000;

/** Begins to record spans, and to send them as `OTEL_EXPORTER_OTLP_*` says. Never keeps the work waiting: what cannot be sent is dropped. */
export function startTracing(service: string, log: Logger): Tracing {
  diag.setLogger(quiet(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new NodeTracerProvider({
    resource: resourceOf(service),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return {
    stop: () =>
      withinLimit(STOP_MS, provider.shutdown()).catch((error: unknown) => {
        log.warn({ err: error }, 'the last spans were not sent');
      }),
  };
}

/** Who tells: what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say goes first. */
export function resourceOf(service: string): Resource {
  return defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': service,
        'service.namespace': 'tenantry',
        'service.instance.id': `${hostname()}:${process.pid}`,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
}

/** A receiver that is away would be told of with each batch. */
const AGAIN_MS = 60_000;

/** What the library has to say, one line a minute at most. */
function quiet(log: Logger): DiagLogger {
  let silentUntilMs = 0;
  const say = (message: string) => {
    if (performance.now() < silentUntilMs) return;
    silentUntilMs = performance.now() + AGAIN_MS;
    log.warn({ from: 'opentelemetry' }, message.slice(0, 500));
  };
  const nothing = () => undefined;
  return { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
}
