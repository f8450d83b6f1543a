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
  if (request.service === 's3') return s3Action(request);
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

/** S3 tells its operations by method, by whether a key is named, and by parameters without a value. */
function s3Action({ method, path }: ActionParts): string {
  const [place = '/', query = ''] = path.split('?', 2);
  const params = new URLSearchParams(query);
  const level = /^\/[^/]+\/./.test(place) ? 'object' : place === '/' ? 'service' : 'bucket';
  const known = s3Actions.find(
    (row) => row.method === method && row.level === level && row.params.every((param) => params.has(param)),
  );
  return known?.action ?? `${method} ${place}`;
}

interface S3Action {
  readonly method: string;
  readonly level: 'service' | 'bucket' | 'object';
  readonly params: readonly string[];
  readonly action: string;
}

const s3 = (method: string, level: S3Action['level'], params: readonly string[], action: string): S3Action => ({
  ...{ method, level, params, action },
});

/** The first that fits: those with parameters stand before the one without. */
const s3Actions: readonly S3Action[] = [
  s3('PUT', 'object', ['partNumber', 'uploadId'], 'UploadPart'),
  s3('PUT', 'object', ['tagging'], 'PutObjectTagging'),
  s3('PUT', 'object', [], 'PutObject'),
  s3('POST', 'object', ['uploads'], 'CreateMultipartUpload'),
  s3('POST', 'object', ['uploadId'], 'CompleteMultipartUpload'),
  s3('DELETE', 'object', ['uploadId'], 'AbortMultipartUpload'),
  s3('DELETE', 'object', [], 'DeleteObject'),
  s3('GET', 'object', ['tagging'], 'GetObjectTagging'),
  s3('GET', 'object', [], 'GetObject'),
  s3('HEAD', 'object', [], 'HeadObject'),
  s3('POST', 'bucket', ['delete'], 'DeleteObjects'),
  s3('GET', 'bucket', ['versions'], 'ListObjectVersions'),
  s3('GET', 'bucket', ['uploads'], 'ListMultipartUploads'),
  s3('GET', 'bucket', ['list-type'], 'ListObjectsV2'),
  s3('PUT', 'bucket', ['publicAccessBlock'], 'PutPublicAccessBlock'),
  s3('PUT', 'bucket', [], 'CreateBucket'),
  s3('GET', 'service', [], 'ListBuckets'),
];

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
