import { SpanKind, type Span } from '@opentelemetry/api';
import type { AwsCall } from './errors.ts';
import { failSpan, tracer } from '../telemetry/spans.ts';

/** Of one call of AWS, from the wait for its turn to its answer. Source: OpenTelemetry's semantic conventions, "AWS SDK". */
export interface CallSpan {
  /** The call has its turn and is sent. */
  readonly sent: () => void;
  readonly answered: (output: object) => void;
  readonly failed: (error: unknown) => void;
}

/** Says which call of which service it is, never what it was given: that may be somebody's, or a secret. */
export function beginCallSpan({ service, action }: Pick<AwsCall, 'service' | 'action'>, region: string): CallSpan {
  const span = tracer().startSpan(`${service}.${action}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'rpc.system': 'aws-api',
      'rpc.service': service,
      'rpc.method': action,
      'cloud.region': region,
    },
  });
  const beganMs = performance.now();
  return {
    sent: () => span.setAttribute('tenantry.aws.turn_wait_ms', Math.round(performance.now() - beganMs)),
    answered: (output) => {
      setRequestId(span, output);
      span.end();
    },
    failed: (error) => {
      setRequestId(span, error instanceof Error && typeof error.cause === 'object' && error.cause ? error.cause : {});
      failSpan(span, error);
      span.end();
    },
  };
}

function setRequestId(span: Span, answer: object): void {
  if (!('$metadata' in answer) || typeof answer.$metadata !== 'object' || answer.$metadata === null) return;
  const { requestId, httpStatusCode } = answer.$metadata as Readonly<Record<string, unknown>>;
  if (typeof requestId === 'string') span.setAttribute('aws.request_id', requestId);
  if (typeof httpStatusCode === 'number') span.setAttribute('http.response.status_code', httpStatusCode);
}
