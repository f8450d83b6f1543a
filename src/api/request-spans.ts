import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { tracer } from '../telemetry/spans.ts';

/**
 * A span for each request, which goes on in the trace that its `traceparent` names. Named by the route's template, so that no id,
 * name or secret of a URL is in it.
 */
export function traceRequests(app: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, { readonly span: Span; readonly within: Context }>();
  app.addHook('onRequest', (request, _reply, next) => {
    const { method, headers, routeOptions } = request;
    const caller = propagation.extract(ROOT_CONTEXT, headers);
    const route = routeOptions.url;
    const span = tracer().startSpan(
      route === undefined ? method : `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          ...(route !== undefined && { 'http.route': route }),
          'url.scheme': request.protocol,
          'tenantry.request.id': request.id,
        },
      },
      caller,
    );
    const within = trace.setSpan(caller, span);
    spans.set(request, { span, within });
    context.with(within, next);
  });
  // Reading the body leaves the context: Node.js reads in that of the connection.
  app.addHook('preValidation', (request, _reply, next) => {
    context.with(spans.get(request)?.within ?? context.active(), next);
  });
  app.addHook('onResponse', (request, reply, next) => {
    const span = spans.get(request)?.span;
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    next();
  });
  // A client that went away gets no answer, and its request no `onResponse`.
  app.addHook('onRequestAbort', (request, next) => {
    const span = spans.get(request)?.span;
    if (span?.isRecording()) span.setAttribute('error.type', 'aborted').setStatus({ code: SpanStatusCode.ERROR }).end();
    next();
  });
}
