import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inCallSpan } from '../../../src/aws/call-spans.ts';
import { processLog } from '../../../src/cli/process-log.ts';
import { StepError } from '../../../src/contracts/step-error.ts';
import { inSpan } from '../../../src/telemetry/spans.ts';
import { currentTraceparent, ownTraceparent, spanContextOf } from '../../../src/telemetry/trace-context.ts';
import { inTrace, traceparentIn, traceStarts } from '../../../src/temporal/trace-header.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
beforeAll(() => provider.register());
afterEach(() => exporter.reset());
afterAll(async () => {
  await provider.shutdown();
  trace.disable();
  context.disable();
});

const accepted = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const traceId = '0af7651916cd43dd8448eb211c80319c';

/** What the server is sent of a start. */
async function started(): Promise<Headers> {
  let sent: Headers = {};
  const input = { workflowType: 'TenantProvisioning', headers: {}, options: { workflowId: 'tenant.p.acme' } };
  await traceStarts.startWithDetails?.(input as never, (given) => {
    sent = given.headers;
    return Promise.resolve({ runId: 'run', eagerlyStarted: false });
  });
  return sent;
}

describe('a run that starts', () => {
  it('goes on in the trace of its operation, in whichever process it is started', async () => {
    const headers = await inTrace(accepted, started);
    expect(spanContextOf(traceparentIn(headers))?.traceId).toBe(traceId);
    const [span] = exporter.getFinishedSpans();
    expect(span?.spanContext().traceId).toBe(traceId);
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  });

  it('lies below the request that starts it at once', async () => {
    await inSpan('POST', {}, async (request) => {
      const stored = currentTraceparent();
      await inSpan('inner', {}, () => inTrace(stored, started));
      const start = exporter.getFinishedSpans().find(({ name }) => name.startsWith('StartWorkflow'));
      expect(start?.parentSpanContext?.spanId).not.toBe(request.spanContext().spanId);
      expect(start?.spanContext().traceId).toBe(request.spanContext().traceId);
    });
  });

  it('of an operation that nobody traced has a trace that all workers agree on', () => {
    const id = '7C9E6679-7425-40DE-944B-E07FC1F90AE7';
    expect(ownTraceparent(id)).toBe('00-7c9e6679742540de944be07fc1f90ae7-944be07fc1f90ae7-01');
  });
});

it.each([
  undefined,
  '',
  'nonsense',
  accepted.toUpperCase(),
  `${accepted}-more`,
  accepted.replace(/^00/, 'ff'),
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
])('a traceparent that is none is passed over: %s', (given) => {
  expect(spanContextOf(given)).toBeUndefined();
});

it('a header that cannot be read names no trace', () => {
  const of = (value: unknown) => ({ '_tracer-data': defaultPayloadConverter.toPayload(value) });
  expect(traceparentIn(of({ traceparent: accepted }))).toBe(accepted);
  for (const headers of [
    {},
    of(null),
    of('text'),
    of({}),
    of({ traceparent: 7 }),
    { '_tracer-data': { data: new Uint8Array([1]) } },
  ])
    expect(traceparentIn(headers)).toBeUndefined();
});

it('a call of AWS that fails is told with its code and request id, and with nothing of what it was given', async () => {
  const cause = Object.assign(new Error('secret'), { $metadata: { requestId: 'r-1', httpStatusCode: 400 } });
  const failure = new StepError('THROTTLED', 'of admin@acme.example', { cause });
  const call = inCallSpan({ service: 'ecs', action: 'CreateService' }, 'eu-central-1', (sent) => {
    sent();
    return Promise.reject(failure);
  });
  await expect(call).rejects.toBe(failure);
  const [span] = exporter.getFinishedSpans();
  expect(span?.name).toBe('ecs.CreateService');
  expect(span?.attributes).toMatchObject({
    'error.type': 'THROTTLED',
    'aws.request_id': 'r-1',
    'http.response.status_code': 400,
    'cloud.region': 'eu-central-1',
  });
  expect(JSON.stringify([span?.attributes, span?.events, span?.status])).not.toMatch(/secret|acme/);
});

it('a line of the log says in which span it was written', async () => {
  const lines = new PassThrough();
  const log = processLog('info', lines);
  log.info('outside');
  await inSpan('work', {}, (span) => {
    log.info('inside');
    const { traceId, spanId } = span.spanContext();
    const [outside, inside] = String(lines.read())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(outside).not.toHaveProperty('trace_id');
    expect(inside).toMatchObject({ trace_id: traceId, span_id: spanId });
    return Promise.resolve();
  });
});
