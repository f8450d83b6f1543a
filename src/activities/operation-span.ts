import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { CloseInput } from '../contracts/messages.ts';
import { findOperation } from '../db/operations.ts';
import { tracer } from '../telemetry/spans.ts';
import { parentContext } from '../telemetry/trace-context.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A span for the whole of an operation that was closed, from its acceptance on: it lies beside those of its calls. */
export async function traceOperation(
  { database, log }: Pick<ActivityDependencies, 'database' | 'log'>,
  { operationId, state }: CloseInput,
): Promise<void> {
  if (!trace.getActiveSpan()?.isRecording()) return;
  try {
    const operation = await findOperation(database, operationId);
    if (!operation) return;
    const { type, acceptedAt, closedAt, failure, traceparent, tenantId } = operation;
    const attributes = {
      'tenantry.operation.id': operationId,
      'tenantry.operation.type': type,
      'tenantry.operation.outcome': state,
      'tenantry.tenant.id': tenantId,
      ...(failure && { 'error.type': failure.code }),
    };
    const within = parentContext(traceparent ?? undefined) ?? context.active();
    const span = tracer().startSpan(`operation ${type}`, { startTime: acceptedAt, attributes }, within);
    if (state !== 'succeeded') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(closedAt ?? undefined);
  } catch (error) {
    // It is closed: that nothing is told of it must not have that done again.
    log.debug({ err: error, operationId }, 'the span of an operation was not recorded');
  }
}
