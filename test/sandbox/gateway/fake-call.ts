import type { Call, Scope } from '../../../sandbox/gateway/request.ts';

/** What matters of a call that never goes over a wire. */
export interface CallSketch {
  readonly service: string;
  readonly action: string;
  readonly scope?: Scope;
  readonly body?: string;
}

export function fakeCall({ service, action, scope, body = '' }: CallSketch): Call {
  return {
    requestId: 'r-1',
    receivedAtMs: 0,
    method: 'POST',
    path: '/',
    headers: {},
    body: Buffer.from(body, 'utf8'),
    service,
    action,
    scope: scope ?? { accountId: '123456789012', region: 'eu-west-1' },
    kind: 'change',
    caller: {},
    givenUp: new AbortController().signal,
  };
}

/** A batch of so many changes. */
export function changeCall(action: string, count: number): CallSketch {
  const change = `<Change><Action>${action}</Action><ResourceRecordSet><Name>a.b</Name><Type>TXT</Type></ResourceRecordSet></Change>`;
  return { service: 'route53', action: 'ChangeResourceRecordSets', body: change.repeat(count) };
}
