import { setTimeout as sleep } from 'node:timers/promises';
import type { OtlpReceiver, ReceivedSpan } from '../support/otlp-receiver.ts';

export interface OperationTrace {
  /** Name of the span that the trace begins with. */
  readonly root: string;
  readonly type: unknown;
  readonly outcome: unknown;
  /** Spans whose parent is not in the trace. */
  readonly orphans: readonly string[];
  /** Calls of AWS that lie below an activity. */
  readonly awsCalls: readonly string[];
  readonly services: readonly string[];
}

/** Traces of so many operations, in the order in which they were accepted, once all their spans are there. */
export async function wholeTraces({ spans }: OtlpReceiver, count: number): Promise<OperationTrace[]> {
  const ended = () => spans.filter((span) => span.attributes['tenantry.operation.outcome'] !== undefined);
  const end = Date.now() + 15_000;
  while (
    Date.now() < end &&
    (ended().length < count || ended().some((span) => traceOf(span, spans).orphans.length > 0))
  )
    await sleep(200);
  return ended()
    .sort((a, b) => a.startMs - b.startMs)
    .map((span) => traceOf(span, spans));
}

function traceOf({ traceId, attributes }: ReceivedSpan, all: readonly ReceivedSpan[]): OperationTrace {
  const spans = all.filter((span) => span.traceId === traceId);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === '');
  return {
    root: roots.map(({ name }) => name).join(', '),
    type: attributes['tenantry.operation.type'],
    outcome: attributes['tenantry.operation.outcome'],
    orphans: spans.filter((s) => s.parentSpanId !== '' && !byId.has(s.parentSpanId)).map(({ name }) => name),
    awsCalls: spans
      .filter((s) => s.attributes['rpc.system'] === 'aws-api' && isActivity(byId.get(s.parentSpanId)))
      .map(({ name }) => name),
    services: [...new Set(spans.map(({ service }) => service))].sort(),
  };
}

function isActivity(span: ReceivedSpan | undefined): boolean {
  return span?.attributes['temporal.activity.type'] !== undefined;
}
