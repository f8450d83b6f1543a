import { ROOT_CONTEXT, SpanKind, type Attributes } from '@opentelemetry/api';
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { inSpan } from '../telemetry/spans.ts';
import { ownTraceparent, parentContext, traceIds } from '../telemetry/trace-context.ts';
import { traceparentIn } from '../temporal/trace-header.ts';

/** Each attempt of an activity is a span of the trace that its run was started in. */
export function traceActivities({ info }: Context): ActivityInterceptors {
  const { activityType, activityId, attempt, taskQueue, workflowExecution } = info;
  return {
    inbound: {
      execute(input, next) {
        const call = stepCallOf(input.args[0]);
        const parent = parentContext(
          traceparentIn(input.headers) ?? (call.operationId && ownTraceparent(call.operationId)),
        );
        const attributes: Attributes = {
          'temporal.activity.type': activityType,
          'temporal.activity.id': activityId,
          'temporal.activity.attempt': attempt,
          'temporal.task_queue': taskQueue,
          ...(workflowExecution && {
            'temporal.workflow.id': workflowExecution.workflowId,
            'temporal.workflow.run_id': workflowExecution.runId,
          }),
          ...(call.operationId !== undefined && { 'tenantry.operation.id': call.operationId }),
          ...(call.stepId !== undefined && { 'tenantry.step': call.stepId }),
        };
        const name = call.stepId === undefined ? activityType : `${activityType} ${call.stepId}`;
        return inSpan(name, { kind: SpanKind.CONSUMER, attributes }, () => next(input), parent ?? ROOT_CONTEXT);
      },
    },
    outbound: {
      getLogAttributes: (input, next) => ({ ...next(input), ...traceIds() }),
    },
  };
}

/** What the activities of an operation are called with has these two; others are called with anything. */
function stepCallOf(argument: unknown): { readonly operationId?: string; readonly stepId?: string } {
  if (typeof argument !== 'object' || argument === null) return {};
  const { operationId, stepId } = argument as Readonly<Record<string, unknown>>;
  return { ...(isUuid(operationId) && { operationId }), ...(typeof stepId === 'string' && { stepId }) };
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
