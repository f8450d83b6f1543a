import {
  ROOT_CONTEXT,
  isSpanContextValid,
  trace,
  TraceFlags,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';

/** W3C Trace Context, level 1: version, trace id, parent id, flags. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The span that is at work here, as a `traceparent`; undefined: none is, or traces are off. */
export function currentTraceparent(): string | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  return context && isSpanContextValid(context) ? traceparentOf(context) : undefined;
}

/** Which trace and span a line of a log is written in, by the names that OpenTelemetry gives them in logs of other formats. */
export function traceIds(): { readonly trace_id?: string; readonly span_id?: string } {
  const context = trace.getActiveSpan()?.spanContext();
  return context && isSpanContextValid(context) ? { trace_id: context.traceId, span_id: context.spanId } : {};
}

/**
 * Where an operation belongs that was accepted by a process without traces: a trace of its own, whose id is the operation's, so that
 * all workers agree on it without asking each other.
 */
export function ownTraceparent(operationId: string): string {
  const id = operationId.replaceAll('-', '').toLowerCase();
  return `00-${id}-${id.slice(-16)}-01`;
}

/** What a `traceparent` names, as the parent of spans; undefined: it is none. */
export function parentContext(traceparent: string | undefined): Context | undefined {
  const spanContext = spanContextOf(traceparent);
  return spanContext && trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** @returns undefined for what the specification tells to ignore */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = form.exec(traceparent ?? '') ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
