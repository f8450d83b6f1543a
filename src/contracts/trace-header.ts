/**
 * Header of Temporal's calls that says which trace they belong to: a JSON object with `traceparent`, as Temporal's own interceptors for
 * OpenTelemetry write it, so that runs started by other SDKs are part of a trace as well. It holds nothing else, and is not encrypted.
 */
export const TRACE_HEADER = '_tracer-data';

export interface TraceHeader {
  readonly traceparent?: string | undefined;
}
