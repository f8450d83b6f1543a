import type { IncomingHttpHeaders } from 'node:http';
import { isRead } from '../../src/aws/errors.ts';

/** What of a request tells its action. */
export interface ActionParts {
  readonly service: string;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: Buffer;
}

/** Operation name where the protocol or a known path tells it, else `METHOD /path`. */
export function actionOf(request: ActionParts): string {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const action = new URLSearchParams(request.body.toString('utf8')).get('Action');
    if (action) return action;
  }
  const path = request.path.split('?', 1)[0] ?? '/';
  const rpc = /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1];
  if (rpc !== undefined && request.headers['smithy-protocol'] !== undefined) return rpc;
  const known = restActions.find(
    (r) => r.service === request.service && r.method === request.method && r.path.test(path),
  );
  return known?.action ?? `${request.method} ${path}`;
}

/** Whether an action changes nothing. */
export function isReadAction(action: string): boolean {
  return /^(?:GET|HEAD) /.test(action) || isRead({ action });
}

interface RestAction {
  readonly service: string;
  readonly method: string;
  readonly path: RegExp;
  readonly action: string;
}

const route53 = (method: string, path: string, action: string): RestAction => ({
  service: 'route53',
  method,
  path: new RegExp(String.raw`^/[\d-]+/${path}/?$`),
  action,
});

const restActions: readonly RestAction[] = [
  route53('POST', 'hostedzone/[^/]+/rrset', 'ChangeResourceRecordSets'),
  route53('GET', 'hostedzone/[^/]+/rrset', 'ListResourceRecordSets'),
  route53('GET', 'change/[^/]+', 'GetChange'),
  route53('GET', 'hostedzone', 'ListHostedZones'),
  route53('POST', 'hostedzone', 'CreateHostedZone'),
  route53('GET', 'hostedzonesbyname', 'ListHostedZonesByName'),
  route53('GET', 'hostedzone/[^/]+', 'GetHostedZone'),
  route53('DELETE', 'hostedzone/[^/]+', 'DeleteHostedZone'),
  route53('GET', 'tags/[^/]+/[^/]+', 'ListTagsForResource'),
  route53('POST', 'tags/[^/]+/[^/]+', 'ChangeTagsForResource'),
  { service: 'ses', method: 'POST', path: /^\/v2\/email\/outbound-emails$/, action: 'SendEmail' },
  { service: 'ses', method: 'GET', path: /^\/v2\/email\/account$/, action: 'GetAccount' },
  { service: 'ses', method: 'GET', path: /^\/v2\/email\/identities\/[^/]+$/, action: 'GetEmailIdentity' },
];
