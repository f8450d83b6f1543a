import { SpanKind, type Span } from '@opentelemetry/api';
import { inSpan } from '../telemetry/spans.ts';
import type { AwsCall } from './errors.ts';

/**
 * Makes a call of AWS as a span, from the wait for its turn to its answer. The span says which call of which service it is, never what it was
 * given: that may be somebody's, or a secret. Source: OpenTelemetry's semantic conventions, "AWS SDK".
 * @param act told what to call when the call has its turn
 */
export function inCallSpan<A extends { readonly output: object }>(
  { service, action }: Pick<AwsCall, 'service' | 'action'>,
  region: string,
  act: (sent: () => void) => Promise<A>,
): Promise<A> {
  const attributes = {
    'rpc.system': 'aws-api',
    'rpc.service': service,
    'rpc.method': action,
    'cloud.region': region,
  };
  return inSpan(`${service}.${action}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const beganMs = performance.now();
    try {
      const answer = await act(() =>
        span.setAttribute('tenantry.aws.turn_wait_ms', Math.round(performance.now() - beganMs)),
      );
      setRequestId(span, answer.output);
      return answer;
    } catch (error) {
      setRequestId(span, error instanceof Error ? error.cause : undefined);
      throw error;
    }
  });
}

function setRequestId(span: Span, answer: unknown): void {
  if (typeof answer !== 'object' || answer === null) return;
  if (!('$metadata' in answer) || typeof answer.$metadata !== 'object' || answer.$metadata === null) return;
  const { requestId, httpStatusCode } = answer.$metadata as Readonly<Record<string, unknown>>;
  if (typeof requestId === 'string') span.setAttribute('aws.request_id', requestId);
  if (typeof httpStatusCode === 'number') span.setAttribute('http.response.status_code', httpStatusCode);
}
