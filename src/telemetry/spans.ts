import {
  context,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

/** The tracer of all that is Tenantry's; does nothing where traces are off. */
export function tracer(): Tracer {
  return trace.getTracer('tenantry');
}

/**
 * Runs `act` as a span, beside which its own spans lie. One that fails is told with its code: messages may hold what is somebody's.
 * @param parent absent: the span that is at work
 */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  act: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  const span = tracer().startSpan(name, options, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => act(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** `error.type` is the code of Tenantry's own errors, else the class of the error. Source: OpenTelemetry, "Recording errors". */
export function failSpan(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  for (const key of ['code', 'type']) {
    const value: unknown = Reflect.get(error, key);
    if (typeof value === 'string' && /^[\w.]{1,80}$/.test(value)) return value;
  }
  return error.name;
}
