import type { Logger } from 'pino';
import type { TelemetryConfig } from '../telemetry/settings.ts';

type Serve<C> = (config: C, log: Logger, stop: AbortSignal) => Promise<void>;

/** A server whose spans are recorded and sent, where its settings say so. OpenTelemetry's SDK is loaded only then. */
export function traced<C extends { readonly telemetry: TelemetryConfig }>(service: string, serve: Serve<C>): Serve<C> {
  return async (config, log, stop) => {
    if (!config.telemetry.traces) return serve(config, log, stop);
    const { startTracing } = await import('../telemetry/tracing.ts');
    const tracing = startTracing(service, log);
    try {
      await serve(config, log, stop);
    } finally {
      await tracing.stop();
    }
  };
}
