import { context, trace, SpanKind } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { TRACE_HEADER, type TraceHeader } from '../contracts/trace-header.ts';
import { inSpan } from '../telemetry/spans.ts';
import { currentTraceparent, parentContext } from '../telemetry/trace-context.ts';

/** Runs `act` as part of a trace, where no span of that trace is at work already. */
export function inTrace<T>(traceparent: string | undefined, act: () => Promise<T>): Promise<T> {
  const parent = parentContext(traceparent);
  const active = trace.getActiveSpan()?.spanContext();
  if (!parent || active?.traceId === trace.getSpanContext(parent)?.traceId) return act();
  return context.with(parent, act);
}

/** A run starts as part of the trace of whoever starts it; its activities go on in it. */
export const traceStarts: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    inSpan(
      `StartWorkflow ${input.workflowType}`,
      { kind: SpanKind.CLIENT, attributes: { 'temporal.workflow.id': input.options.workflowId } },
      () => next({ ...input, headers: withTrace(input.headers) }),
    ),
};

function withTrace(headers: Headers): Headers {
  const traceparent = currentTraceparent();
  if (traceparent === undefined) return headers;
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent } satisfies TraceHeader) };
}

/** The trace that headers name; undefined when they name none that can be read. */
export function traceparentIn(headers: Headers): string | undefined {
  const payload = headers[TRACE_HEADER];
  if (!payload) return undefined;
  try {
    const carried: unknown = defaultPayloadConverter.fromPayload(payload);
    if (typeof carried !== 'object' || carried === null || !('traceparent' in carried)) return undefined;
    return typeof carried.traceparent === 'string' ? carried.traceparent : undefined;
  } catch {
    return undefined;
  }
}
