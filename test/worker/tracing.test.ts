import { context, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inSpan } from '../../src/telemetry/spans.ts';
import { startTracing } from '../../src/telemetry/tracing.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';

let collector: OtlpReceiver;
beforeEach(async () => {
  collector = await startOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '50');
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '300');
});
afterEach(async () => {
  trace.disable();
  context.disable();
  vi.unstubAllEnvs();
  await collector.stop();
});

const lines = new PassThrough();
const log = pino(lines);
const said = () => String(lines.read() ?? '').trim();

it('sends what is left when it is stopped, by the name of the process', async () => {
  const tracing = startTracing('tenantry-worker', log);
  await inSpan('work', { attributes: { 'tenantry.step': 'create_schema' } }, () => Promise.resolve());
  await tracing.stop();
  expect(collector.spans).toMatchObject([
    { service: 'tenantry-worker', name: 'work', isError: false, attributes: { 'tenantry.step': 'create_schema' } },
  ]);
});

it.each(['fails', 'hangs'] as const)(
  'keeps nobody waiting for a collector that %s, and says so once',
  async (answer) => {
    collector.answer = answer;
    const tracing = startTracing('tenantry-worker', log);
    const beganMs = performance.now();
    for (let n = 0; n < 5_000; n += 1) await inSpan('work', {}, () => Promise.resolve());
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    await vi.waitFor(() => expect(collector.requests()).toBeGreaterThan(0), 2_000);
    const stoppedMs = performance.now();
    await tracing.stop();
    expect(performance.now() - stoppedMs).toBeLessThan(9_000);
    const warnings = said()
      .split('\n')
      .filter((line) => line.includes('"from":"opentelemetry"'));
    expect(warnings).toHaveLength(1);
  },
);
