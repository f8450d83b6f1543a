import { GetObjectCommand, NoSuchKey, S3ServiceException } from '@aws-sdk/client-s3';
import { AwsError } from '../answer.ts';
import { memberFields, memberList, queryParams, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { Evaluation, namesIn } from './evaluation.ts';
import { invalid } from './input.ts';
import type { Tags, Wish } from './model.ts';
import { refuseValue } from './parameter-rules.ts';
import { resourceType } from './resources/types.ts';
import { formatError, readTemplate, type Template } from './template.ts';

/**
 * What a call asks for, checked as AWS checks it before it makes anything.
 * @param previous what the stack is now, of an update
 * @throws AwsError ValidationError, InsufficientCapabilitiesException
 */
export async function readWish(upstream: Upstream, call: Call, previous?: Wish): Promise<Wish> {
  const params = queryParams(call);
  const body = await bodyOf(upstream, call, previous);
  const template = readTemplate(body);
  const capabilities = memberList(params, 'Capabilities');
  const wish = {
    ...{ body, template, capabilities },
    parameters: parametersOf(params, template, previous?.parameters),
    tags: tagsOf(params) ?? previous?.tags ?? {},
    roleArn: params.get('RoleARN') ?? previous?.roleArn,
  };
  refuseUnresolved(template);
  refuseWithoutCapability(template, capabilities);
  refuseUnknownTypes(call, wish);
  return wish;
}

/** Longest template in a request, in bytes; from S3 a megabyte. Source: CloudFormation quotas. */
const MAX_BODY_BYTES = 51_200;

async function bodyOf(upstream: Upstream, call: Call, previous: Wish | undefined): Promise<string> {
  const params = queryParams(call);
  const [body, url] = [params.get('TemplateBody'), params.get('TemplateURL')];
  const isPrevious = params.get('UsePreviousTemplate') === 'true';
  if ([body, url, isPrevious ? '' : null].filter((one) => one !== null).length !== 1)
    throw invalid('Either Template URL or Template Body must be specified.');
  if (isPrevious && previous) return previous.body;
  if (body === null) return await fetched(upstream, call, url ?? '');
  if (Buffer.byteLength(body) > MAX_BODY_BYTES)
    throw invalid(
      `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${MAX_BODY_BYTES}`,
    );
  return body;
}

/** Buckets are named by the host or by the path. */
const templateUrls = [
  /^https:\/\/(?<bucket>[a-z0-9.-]+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com\/(?<key>[^?]+)/,
  /^https:\/\/s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com\/(?<bucket>[a-z0-9.-]+)\/(?<key>[^?]+)/,
];

/** With the rights of the caller, whose account it is. */
async function fetched(upstream: Upstream, call: Call, url: string): Promise<string> {
  const named = templateUrls.map((pattern) => pattern.exec(url)?.groups).find((groups) => groups !== undefined);
  if (!named) throw invalid('TemplateURL must be a supported URL.');
  const versionId = new URL(url).searchParams.get('versionId') ?? undefined;
  try {
    const answer = await upstream.clients(call.scope).s3.send(
      new GetObjectCommand({
        Bucket: named['bucket'],
        Key: decodeURIComponent(named['key'] ?? ''),
        VersionId: versionId,
      }),
    );
    return (await answer.Body?.transformToString()) ?? '';
  } catch (error) {
    if (error instanceof NoSuchKey) throw invalid('S3 error: The specified key does not exist.');
    if (error instanceof S3ServiceException) throw invalid(`S3 error: ${error.message}`);
    throw error;
  }
}

function parametersOf(
  params: URLSearchParams,
  { Parameters }: Template,
  previous: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const given = new Map(
    memberFields(params, 'Parameters').map((one) => {
      const [key = '', value = ''] = [one['ParameterKey'], one['ParameterValue']];
      return [key, one['UsePreviousValue'] === 'true' ? (previous?.[key] ?? '') : value] as const;
    }),
  );
  const unknown = [...given.keys()].filter((name) => !Object.hasOwn(Parameters, name));
  if (unknown.length > 0) throw invalid(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const values = Object.entries(Parameters).map(([name, { Default }]) => [name, given.get(name) ?? Default] as const);
  const lacking = values.filter(([, value]) => value === undefined).map(([name]) => name);
  if (lacking.length > 0) throw invalid(`Parameters: [${lacking.join(', ')}] must have values`);
  const read = Object.fromEntries(values.map(([name, value]) => [name, value ?? '']));
  for (const [name, value] of Object.entries(read)) refuseValue(name, value, Parameters[name]);
  return read;
}

/** Source: CloudFormation quotas and its page on resource tags. */
const MAX_TAGS = 50;

function tagsOf(params: URLSearchParams): Tags | undefined {
  const list = memberFields(params, 'Tags');
  // An empty list is sent as `Tags=`, and takes them away; without it they stay.
  if (list.length === 0) return params.has('Tags') ? {} : undefined;
  if (list.length > MAX_TAGS) throw invalid(`Tags must not exceed ${MAX_TAGS}`);
  const reserved = list.find(({ Key = '' }) => /^aws:/i.test(Key));
  if (reserved) throw invalid(`Tag keys beginning with aws: are reserved: ${reserved['Key'] ?? ''}`);
  return Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function refuseUnresolved({ Parameters, Resources }: Template): void {
  const known = (name: string) =>
    Object.hasOwn(Parameters, name) || Object.hasOwn(Resources, name) || name.startsWith('AWS::');
  const unresolved = Object.values(Resources)
    .flatMap(({ Properties = {}, DependsOn = [] }) => [...namesIn(Properties), ...[DependsOn].flat()])
    .filter((name) => !known(name));
  if (unresolved.length > 0)
    throw formatError(
      `Unresolved resource dependencies [${[...new Set(unresolved)].join(', ')}] in the Resources block of the template`,
    );
}

function refuseWithoutCapability({ Resources }: Template, given: readonly string[]): void {
  const iam = Object.values(Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  const isNamed = iam.some(({ Properties = {} }) =>
    Object.keys(Properties).some((name) => /^[A-Z]\w+Name$/.test(name)),
  );
  const enough = isNamed ? ['CAPABILITY_NAMED_IAM'] : ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'];
  if (iam.length === 0 || enough.some((one) => given.includes(one))) return;
  throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${enough[0] ?? ''}]`);
}

/** What the sandbox cannot make is refused; it is never said to be made. */
function refuseUnknownTypes({ scope }: Call, { template, parameters }: Pick<Wish, 'template' | 'parameters'>): void {
  const evaluation = new Evaluation({
    ...{ template, parameters, scope, stackId: '', stackName: '' },
    attributeOf: () => '',
  });
  const unknown = evaluation.resources().flatMap(([, { Type }]) => (resourceType(Type) ? [] : [Type]));
  if (unknown.length > 0)
    throw formatError(
      `Unrecognized resource types: [${[...new Set(unknown)].join(', ')}] (the sandbox does not make them)`,
    );
}
