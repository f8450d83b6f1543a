import type { ActionParts } from './actions.ts';

/** Who made a call, as far as its user agent says. */
export interface Caller {
  /** `AWS_SDK_UA_APP_ID` of the calling process. */
  readonly app?: string;
  readonly operationId?: string;
  readonly stepId?: string;
  readonly verb?: string;
}

/** Reads `app/<name> tenantry-operation/<id> tenantry-step/<id> tenantry-verb/<verb>` out of a user agent. */
export function callerOf(userAgent: string): Caller {
  const named = (name: string) => new RegExp(`(?:^|\\s)${name}/(\\S+)`).exec(userAgent)?.[1];
  const caller = {
    app: named('app'),
    operationId: named('tenantry-operation'),
    stepId: named('tenantry-step'),
    verb: named('tenantry-verb'),
  };
  return Object.fromEntries(Object.entries(caller).filter(([, value]) => value !== undefined));
}

/** The main name or ARN that a call is about; undefined when it names nothing (a list of everything). */
export function resourceOf(request: ActionParts & { readonly action: string }): string | undefined {
  if (request.service === 'route53') return dnsSubject(request);
  if (request.service === 's3') return decodeURIComponent(request.path.split('?', 1)[0] ?? '').slice(1);
  if (isForm(request.headers)) return formSubject(request);
  return jsonSubject(request.body);
}

/** The idempotency token that a call carries. */
export function tokenOf({ body, headers }: Pick<ActionParts, 'body' | 'headers'>): string | undefined {
  const input = isForm(headers) ? new URLSearchParams(body.toString('utf8')) : parsedJson(body);
  return input && first(tokenFields.map((field) => input.get(field)));
}

const tokenFields = ['clientToken', 'ClientRequestToken', 'ClientToken'];

function isForm(headers: ActionParts['headers']): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}

/** In order of preference: what a call is about comes before what it merely refers to. */
const formFields = [
  'TargetGroupArn',
  'RuleArn',
  'ListenerArn',
  'LoadBalancerArn',
  'Name',
  'RoleName',
  'StackName',
  ...['TargetGroupArns', 'RuleArns', 'ListenerArns', 'LoadBalancerArns', 'Names', 'ResourceArns'].map(
    (list) => `${list}.member.1`,
  ),
];

const jsonFields = [
  'serviceName',
  'service',
  'services',
  'taskDefinition',
  'family',
  'familyPrefix',
  'taskDefinitions',
  'task',
  'tasks',
  'resourceArn',
  'SecretId',
  'Name',
  'Names',
  'ResourceId',
  'TableName',
  'logGroupName',
  'logGroupNamePrefix',
  'FromEmailAddress',
  'cluster',
  'clusters',
  'clusterName',
];

function formSubject({ action, body }: { readonly action: string; readonly body: Buffer }): string | undefined {
  const params = new URLSearchParams(body.toString('utf8'));
  // The name of a rule that is to be made: what it routes.
  if (action === 'CreateRule') return routedBy(params) ?? params.get('ListenerArn') ?? undefined;
  return first(formFields.map((field) => params.get(field)));
}

/** Values of a new rule's conditions: `acme.example.com/api/*`. */
function routedBy(params: URLSearchParams): string | undefined {
  const values = [...params]
    .filter(([name]) => /^Conditions\.member\.\d+\..*Values\.member\.1$/.test(name))
    .map(([, value]) => value);
  return values.length === 0 ? undefined : [...new Set(values)].join('');
}

function jsonSubject(body: Buffer): string | undefined {
  const input = parsedJson(body);
  return input && first(jsonFields.map((field) => [input.get(field)].flat()[0]));
}

function parsedJson(body: Buffer): ReadonlyMap<string, unknown> | undefined {
  if (body.at(0) !== openingBrace) return undefined;
  try {
    const input = JSON.parse(body.toString('utf8')) as object;
    return new Map<string, unknown>(Object.entries(input));
  } catch {
    return undefined;
  }
}

const openingBrace = '{'.charCodeAt(0);

function dnsSubject({ path, body }: { readonly path: string; readonly body: Buffer }): string | undefined {
  const [bare = '', query = ''] = path.split('?', 2);
  const changed = /<Name>([^<]+)<\/Name>/.exec(body.toString('utf8'))?.[1];
  const listed = new URLSearchParams(query).get('name');
  const named = /\/(?:hostedzone|change|tags\/[^/]+)\/([^/]+)/.exec(bare)?.[1];
  return first([changed, listed, named])?.replace(/\.$/, '');
}

function first(values: readonly unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string' && value !== '') as string | undefined;
}
