import {
  defaultPayloadConverter,
  type ActivateInput,
  type Headers,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import { TRACE_HEADER } from '../contracts/trace-header.ts';

/**
 * Anybody may signal a run, with anything. An argument that cannot be read would fail the workflow task, and again with each
 * replay, for good; here it becomes a value that fits no request. Only of signals: an Update or a query of that kind is refused,
 * and what the run itself needs (inputs, answers of activities) stays an error.
 *
 * The trace that a run was started in is handed on as it came to all that the run calls. Spans are the activities' own: a run lives
 * longer than a worker does, and is replayed.
 */
export function interceptors(): WorkflowInterceptors {
  let carried: Headers = {};
  const withTrace = <I extends { readonly headers: Headers }>(input: I): I => ({
    ...input,
    headers: { ...input.headers, ...carried },
  });
  return {
    inbound: [
      {
        execute(input, next) {
          const payload = input.headers[TRACE_HEADER];
          carried = payload ? { [TRACE_HEADER]: payload } : {};
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withTrace(input)),
        scheduleLocalActivity: (input, next) => next(withTrace(input)),
        startChildWorkflowExecution: (input, next) => next(withTrace(input)),
        continueAsNew: (input, next) => next(withTrace(input)),
        getLogAttributes: (input, next) => ({ ...next(input), ...traceIdOf(carried) }),
      },
    ],
    internals: [
      {
        activate(input, next) {
          for (const { signalWorkflow: signal } of input.activation.jobs ?? []) if (signal) readable(signal);
          next(input);
        },
      },
    ],
  };
}

function traceIdOf(headers: Headers): { readonly trace_id?: string } {
  const payload = headers[TRACE_HEADER];
  if (!payload) return {};
  try {
    const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
    const [, traceId] = typeof traceparent === 'string' ? traceparent.split('-') : [];
    return traceId === undefined ? {} : { trace_id: traceId };
  } catch {
    return {};
  }
}

type Signal = NonNullable<NonNullable<ActivateInput['activation']['jobs']>[number]['signalWorkflow']>;

function readable(signal: Signal): void {
  signal.input = signal.input?.map((payload) => {
    try {
      defaultPayloadConverter.fromPayload(payload);
      return payload;
    } catch {
      return defaultPayloadConverter.toPayload({ unreadable: true });
    }
  });
}
