import { parse as parseYaml, type CollectionTag, type ScalarTag } from 'yaml';
import { z } from 'zod';
import { AwsError } from '../answer.ts';

/** What stands in a template, functions included: `{ Ref: 'Table' }`. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

const value: z.ZodType<Value> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(z.string(), value)]),
);

const plain = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Templates give numbers as texts, too. */
const count = z.coerce.number();

const parameter = z.looseObject({
  Type: z.string(),
  Default: plain.optional(),
  AllowedValues: z.array(plain).optional(),
  AllowedPattern: z.string().optional(),
  ConstraintDescription: z.string().optional(),
  MinLength: count.optional(),
  MaxLength: count.optional(),
  MinValue: count.optional(),
  MaxValue: count.optional(),
  NoEcho: z.union([z.boolean(), z.string()]).optional(),
});

const resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), value).optional(),
  Condition: z.string().optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  DeletionPolicy: z.string().default('Delete'),
  UpdateReplacePolicy: z.string().default('Delete'),
});

const output = z.looseObject({
  Value: value,
  Description: z.string().optional(),
  Condition: z.string().optional(),
});

const template = z.looseObject({
  Description: z.string().optional(),
  Parameters: z.record(z.string(), parameter).default({}),
  Mappings: z.record(z.string(), value).default({}),
  Conditions: z.record(z.string(), value).default({}),
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), output).default({}),
  Transform: z.unknown().optional(),
});

export type Template = z.infer<typeof template>;
export type TemplateParameter = z.infer<typeof parameter>;
export type TemplateResource = z.infer<typeof resource>;

/** Reads JSON or YAML with CloudFormation's short forms. @throws AwsError ValidationError */
export function readTemplate(body: string): Template {
  const parsed = template.safeParse(parseBody(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('/') ?? '';
    throw formatError(`${where === '' ? 'template' : where}: ${issue?.message ?? 'not a template'}`);
  }
  if (parsed.data.Transform !== undefined) throw formatError('the sandbox has no transforms');
  if (Object.keys(parsed.data.Resources).length === 0)
    throw formatError('At least one Resources member must be defined.');
  return parsed.data;
}

/** A template that AWS would refuse before anything is made. */
export function formatError(problem: string): AwsError {
  return new AwsError('ValidationError', `Template format error: ${problem}`);
}

function parseBody(body: string): unknown {
  try {
    return parseYaml(body, { customTags: shortForms, schema: 'core', logLevel: 'error' });
  } catch (error) {
    throw formatError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}

/** `!Sub` stands for `Fn::Sub`; these two have no prefix. */
const unprefixed = ['Ref', 'Condition'];
const functions = [
  ...unprefixed,
  ...['And', 'Base64', 'Equals', 'FindInMap', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'],
];

const shortForms = functions.flatMap((name): (ScalarTag | CollectionTag)[] => {
  const key = unprefixed.includes(name) ? name : `Fn::${name}`;
  const tag = `!${name}`;
  return [
    { tag, resolve: (text) => ({ [key]: name === 'GetAtt' ? attributePath(text) : text }) },
    { tag, collection: 'seq', resolve: (seq) => ({ [key]: seq.toJSON() as Value }) },
    { tag, collection: 'map', resolve: (map) => ({ [key]: map.toJSON() as Value }) },
  ];
});

/** `Table.Arn`: the resource ends at the first dot. */
export function attributePath(text: string): string[] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}
