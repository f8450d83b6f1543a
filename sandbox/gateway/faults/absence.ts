import { z } from 'zod';
import { AwsError, errorAnswer, jsonAnswer, withBody } from '../answer.ts';
import type { Answer, Call } from '../request.ts';
import { speaksOf } from './changed.ts';
import { requestText } from './match.ts';

/**
 * The answer to a read as if what was made were not there yet: a list without it, or the service's own words for what
 * it does not know. Undefined where the read does not speak of it, or absence has no known form.
 */
export function answerWithout(call: Call, fresh: Answer, created: readonly string[]): Answer | undefined {
  if (fresh.status >= 300 || created.length === 0) return undefined;
  const isAsked = speaksOf(requestText(call), created);
  if (isAsked) {
    const missing = missingAnswers[call.action]?.(call, created, fresh);
    if (missing) return missing instanceof AwsError ? errorAnswer(call, missing) : missing;
  }
  const list = lists[call.action];
  return list && listWithout(fresh, list, created);
}

const noTargetGroup = new AwsError('TargetGroupNotFound', 'One or more target groups not found');
const noRule = new AwsError('RuleNotFound', 'One or more rules not found');
const noSecret = new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");

type Missing = (call: Call, created: readonly string[], fresh: Answer) => AwsError | Answer | undefined;

/** What a look at one thing answers when it is not there. */
const missingAnswers: Readonly<Record<string, Missing>> = {
  DescribeTargetGroups: () => noTargetGroup,
  DescribeTargetGroupAttributes: () => noTargetGroup,
  DescribeTargetHealth: () => noTargetGroup,
  DescribeRules: () => noRule,
  DescribeTags: (call) => (requestText(call).includes(':listener-rule/') ? noRule : noTargetGroup),
  DescribeServices: (call, created) => missingServices(call, created),
  DescribeTaskDefinition: () => new AwsError('ClientException', 'Unable to describe task definition.'),
  DescribeSecret: () => noSecret,
  GetSecretValue: () => noSecret,
  DescribeStacks: (call) => noStack(call),
  DescribeStackEvents: (call) => noStack(call),
  GetParameter: () => new AwsError('ParameterNotFound', 'The parameter could not be found.'),
  GetParameters: (_call, created, fresh) => missingParameters(created, fresh),
  ListTagsForResource: ({ service }) => noTags[service],
};

/** By service. */
const noTags: Readonly<Record<string, AwsError>> = {
  logs: new AwsError('ResourceNotFoundException', 'The specified log group does not exist.'),
  ssm: new AwsError('InvalidResourceId', 'The resource ID is not valid.'),
};

const parametersAnswer = z.looseObject({
  Parameters: z.array(z.looseObject({ Name: z.string() })),
  InvalidParameters: z.array(z.string()).default([]),
});

/** What is not there is called invalid. */
function missingParameters(created: readonly string[], fresh: Answer): Answer {
  const body = parametersAnswer.parse(JSON.parse(fresh.body.toString('utf8')));
  const isMissing = ({ Name }: { readonly Name: string }) => created.includes(Name);
  const missing = body.Parameters.filter(isMissing).map(({ Name }) => Name);
  return withBody(
    fresh,
    JSON.stringify({
      ...body,
      Parameters: body.Parameters.filter((parameter) => !isMissing(parameter)),
      InvalidParameters: [...body.InvalidParameters, ...missing],
    }),
  );
}

function noStack(call: Call): AwsError {
  return new AwsError('ValidationError', `Stack with id ${call.resource ?? ''} does not exist`);
}

/** Only for a look at that service alone: looks at several are split before. */
function missingServices(call: Call, created: readonly string[]): Answer {
  const arn = created.find((id) => id.startsWith('arn:')) ?? call.resource;
  return jsonAnswer({ services: [], failures: [{ arn, reason: 'MISSING' }] });
}

interface List {
  readonly format: 'json' | 'xml';
  /** The answer's field, or the element of one item. */
  readonly items: string;
}

const lists: Readonly<Record<string, List>> = {
  DescribeTargetGroups: { format: 'xml', items: 'TargetGroups' },
  DescribeRules: { format: 'xml', items: 'Rules' },
  ListResourceRecordSets: { format: 'xml', items: 'ResourceRecordSets' },
  DescribeStacks: { format: 'xml', items: 'Stacks' },
  ListServices: { format: 'json', items: 'serviceArns' },
  ListTaskDefinitions: { format: 'json', items: 'taskDefinitionArns' },
  ListTaskDefinitionFamilies: { format: 'json', items: 'families' },
  ListSecrets: { format: 'json', items: 'SecretList' },
  DescribeLogGroups: { format: 'json', items: 'logGroups' },
  DescribeParameters: { format: 'json', items: 'Parameters' },
  GetParametersByPath: { format: 'json', items: 'Parameters' },
};

function listWithout(fresh: Answer, { format, items }: List, created: readonly string[]): Answer | undefined {
  const text = fresh.body.toString('utf8');
  if (!speaksOf(text, created)) return undefined;
  return format === 'xml' ? xmlWithout(fresh, text, items, created) : jsonWithout(fresh, text, items, created);
}

function jsonWithout(fresh: Answer, text: string, field: string, created: readonly string[]): Answer | undefined {
  const body = JSON.parse(text) as Record<string, unknown>;
  const all = body[field];
  if (!Array.isArray(all)) return undefined;
  const kept = all.filter((item) => !speaksOf(JSON.stringify(item), created));
  return withBody(fresh, JSON.stringify({ ...body, [field]: kept }));
}

function xmlWithout(fresh: Answer, text: string, list: string, created: readonly string[]): Answer | undefined {
  const found = new RegExp(`(<${list}>)(.*)(</${list}>)`, 's').exec(text);
  const [, open = '', inner = '', close = ''] = found ?? [];
  if (!found) return undefined;
  const kept = topElements(inner).filter((item) => !speaksOf(item, created));
  return withBody(
    fresh,
    text.replace(found[0], () => `${open}${kept.join('')}${close}`),
  );
}

/** The outermost elements of a piece of XML. */
function topElements(xml: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = 0;
  for (const tag of xml.matchAll(/<(\/?)[^>]*?(\/?)>/g)) {
    const [whole, closing, selfClosing] = tag;
    if (depth === 0 && closing === '') start = tag.index;
    if (selfClosing === '') depth += closing === '' ? 1 : -1;
    if (depth === 0) elements.push(xml.slice(start, tag.index + whole.length));
  }
  return elements;
}
