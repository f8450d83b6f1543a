import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let api: ApiFixture;
beforeAll(async () => {
  provider.register();
  api = await createApiFixture();
});
afterAll(async () => {
  await api.close();
  await provider.shutdown();
  for (const part of [trace, context, propagation]) part.disable();
});

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

it('a request goes on in the trace of its caller, and its operation in that of the request', async () => {
  const created = await api.app.inject({
    method: 'POST',
    url: '/api/v1/tenants',
    headers: { traceparent, host: 'localhost' },
    payload: acme,
  });
  expect(created.statusCode).toBe(202);
  const { tenantId, operationId } = created.json<{ tenantId: string; operationId: string }>();
  const read = await api.app.inject({ url: `/api/v1/tenants/${tenantId}/operations/${operationId}?x=` });
  expect(read.statusCode).toBe(400);
  const operation = await api.app.inject({ url: `/api/v1/tenants/${tenantId}/operations/${operationId}` });
  expect(operation.json()).toMatchObject({ operationId, traceId });
  const spans = exporter.getFinishedSpans();
  const request = spans.find(({ name }) => name === 'POST /api/v1/tenants');
  expect(request?.spanContext().traceId).toBe(traceId);
  expect(request?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(request?.attributes).toMatchObject({ 'http.route': '/api/v1/tenants', 'http.response.status_code': 202 });
  expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain(acme.contactEmail);
});

it('of a trace that its caller does not record it records nothing', async () => {
  const before = exporter.getFinishedSpans().length;
  await api.app.inject({ url: '/healthz', headers: { traceparent: traceparent.replace(/01$/, '00') } });
  expect(exporter.getFinishedSpans()).toHaveLength(before);
});

it('a path that no route has is not in the name', async () => {
  await api.app.inject({ url: '/api/v1/secret-of-somebody' });
  expect(exporter.getFinishedSpans().at(-1)?.name).toBe('GET');
});
