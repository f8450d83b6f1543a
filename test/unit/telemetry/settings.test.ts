import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import { telemetryConfigOf, TelemetryConfigError } from '../../../src/telemetry/settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('what is sent by OpenTelemetry', () => {
  it.each([
    ['nothing, unless it is asked for', {}, [false, false]],
    [
      'nothing, where variables are empty',
      { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: ' ' },
      [false, false],
    ],
    ['all, where an endpoint is named', endpoint, [true, true]],
    ['all, where the exporter is named, to its default endpoint', { OTEL_TRACES_EXPORTER: 'otlp' }, [true, false]],
    ['one signal', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://collector/v1/metrics' }, [false, true]],
    ['not what is switched off', { ...endpoint, OTEL_METRICS_EXPORTER: 'none' }, [true, false]],
    ['nothing, where the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, [false, false]],
  ])('is %s', (_what, env, [traces, metrics]) => {
    expect(telemetryConfigOf(env)).toEqual({ traces, metrics });
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http(s) URL'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://x' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be an http(s) URL'],
    [{ OTEL_TRACES_EXPORTER: 'jaeger' }, 'OTEL_TRACES_EXPORTER must be otlp or none'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf'],
    [{ OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' }, 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL must be http/protobuf'],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER must be one of'],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10%' },
      'OTEL_TRACES_SAMPLER_ARG must be a number',
    ],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: '0' }, 'OTEL_BSP_MAX_QUEUE_SIZE must be a whole number'],
  ])('refuses %j', (env, problem) => {
    expect(() => telemetryConfigOf(env)).toThrow(TelemetryConfigError);
    expect(() => telemetryConfigOf(env)).toThrow(problem);
  });

  it('tells its problems beside those of the other settings', () => {
    expect(() => loadConfig('api', { OTEL_TRACES_EXPORTER: 'zipkin', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toThrow(
      /DATABASE_URL[^]*\n {2}- OTEL_TRACES_EXPORTER[^]*\n {2}- OTEL_EXPORTER_OTLP_PROTOCOL/,
    );
  });
});
