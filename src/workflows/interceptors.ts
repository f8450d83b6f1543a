import { defaultPayloadConverter, type ActivateInput, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * Anybody may signal a run, with anything. An argument that cannot be read would fail the workflow task, and again with each
 * replay, for good; here it becomes a value that fits no request. Only of signals: an Update or a query of that kind is refused,
 * and what the run itself needs (inputs, answers of activities) stays an error.
 */
export function interceptors(): WorkflowInterceptors {
  return {
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
