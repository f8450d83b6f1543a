import { z } from 'zod';
import type { ParameterType } from '../../aws/ssm-marked.ts';
import type { Resolved } from '../../contracts/kinds.ts';
import type { StepContext } from '../framework/kind.ts';
import { textValue } from '../framework/values.ts';

/** So many are written within one attempt at AWS's default rate. */
const MOST_PARAMETERS = 20;
/** Of a hierarchy (AWS). */
const MOST_LEVELS = 15;
/** AWS takes fifty, of which the ownership mark is five. */
const MOST_TAGS = 45;
/** Of a name with its path, in characters (AWS). */
const LONGEST_NAME = 1_011;
/** Of a parameter of the standard tier, in bytes (AWS). */
const LARGEST_VALUE = 4_096;

/** Worker and AWS have parameters of their own below these. */
export const parameterPath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9_.-]+\/)+$/, 'must begin and end with a slash, with letters, digits, _, . and - between')
  .refine((text) => !/^\/(?:aws|ssm|tenantry\/)/i.test(text), 'must not lie below /aws, /ssm or /tenantry/');
/** Of a parameter, below its path. */
export const parameterName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/, 'must be a name, or a path without slashes around it');

/** `String` when absent. */
const parameter = z.union([
  z.strictObject({
    type: z.literal('String').optional(),
    /** Its value is that of its making: others write over it from then on. */
    isInitial: z.literal(true).optional(),
  }),
  z.strictObject({
    type: z.literal('SecureString'),
    /** Id, ARN or alias of a key of KMS; absent: the account's own key for SSM. */
    keyId: z.string().min(1).optional(),
  }),
]);

/** What AWS takes in keys and values of tags. */
const tagText = '[\\p{L}\\p{Z}\\p{N}_.:/=+@-]';
const tags = z
  .record(
    z
      .string()
      .regex(
        new RegExp(`^(?!aws:|tenantry:)${tagText}{1,128}$`, 'iu'),
        'must be the key of a tag, and none of Tenantry or AWS',
      ),
    z.string().regex(new RegExp(`^${tagText}{0,256}$`, 'u'), 'must be the value of a tag'),
  )
  .refine((given) => Object.keys(given).length <= MOST_TAGS, `must be ${MOST_TAGS} tags at most`);

/**
 * `parameters`: the names below the path, which are the step's for good, each with its type. `values`: by name, the text of a String; of a
 * SecureString the ARN of the tenant's secret whose value it gets, as a spec is stored and shown in the clear.
 */
export const parametersSpec = z
  .strictObject({
    path: parameterPath,
    parameters: z.record(parameterName, parameter),
    values: z.record(parameterName, textValue),
    tags: tags.optional(),
  })
  .superRefine((spec, context) => {
    for (const message of problemsOf(spec)) context.addIssue({ code: 'custom', message });
  });
/** `arn`: of all that lies below the path, as policies name it but for a `*` at its end. `tagKeys`: of the spec's tags. */
export const parametersOutputs = z.strictObject({ path: z.string(), arn: z.string(), tagKeys: z.array(z.string()) });

export type ParametersSpec = z.output<typeof parametersSpec>;
export type ParametersOutputs = z.output<typeof parametersOutputs>;
export type ParametersContext = StepContext<ParametersSpec, ParametersOutputs>;

/** One parameter of a set. */
export interface SetParameter {
  /** Below the path. */
  readonly key: string;
  /** With the path. */
  readonly name: string;
  readonly type: ParameterType;
  readonly keyId: string | undefined;
  readonly isInitial: boolean;
}

/** All parameters of a set, whatever is known of their values. */
export function parametersOf({
  path,
  parameters,
}: Pick<Resolved<ParametersSpec>, 'path' | 'parameters'>): SetParameter[] {
  return Object.entries(parameters).map(([key, of]) => ({
    key,
    name: `${path}${key}`,
    type: of.type ?? 'String',
    keyId: 'keyId' in of ? of.keyId : undefined,
    isInitial: 'isInitial' in of && of.isInitial === true,
  }));
}

function problemsOf({ parameters, path, values }: Omit<ParametersSpec, 'tags'>): string[] {
  const all = parametersOf({ path, parameters });
  const undeclared = Object.keys(values).filter((key) => !Object.hasOwn(parameters, key));
  return [
    ...(all.length === 0 || all.length > MOST_PARAMETERS ? [`must have 1 to ${MOST_PARAMETERS} parameters`] : []),
    ...undeclared.map((key) => `values.${key} is a value of none of the parameters`),
    ...all.flatMap((one) => nameProblems(one.name)),
    ...all.flatMap(({ key, type }) => valueProblems(key, type, values[key])),
  ];
}

function nameProblems(full: string): string[] {
  return [
    ...(full.length > LONGEST_NAME ? [`${full} is longer than ${LONGEST_NAME} characters`] : []),
    ...(full.split('/').length - 1 > MOST_LEVELS ? [`${full} has more than ${MOST_LEVELS} levels`] : []),
  ];
}

function valueProblems(
  key: string,
  type: ParameterType,
  value: ParametersSpec['values'][string] | undefined,
): string[] {
  if (value === undefined) return [`parameter ${key} has no value`];
  if (typeof value !== 'string') return [];
  if (type === 'SecureString')
    return /^arn:[^:]*:secretsmanager:/.test(value)
      ? []
      : [`values.${key} must be the ARN of a secret: what is in a spec can be read by many`];
  const problem = textProblem(value);
  return problem === undefined ? [] : [`values.${key} ${problem}`];
}

/** Why AWS would refuse the value of a parameter, a clause; undefined when it would not. */
export function textProblem(value: string): string | undefined {
  if (value === '') return 'is empty, which AWS refuses';
  if (value.includes('{{')) return 'holds {{, which AWS takes for the name of another parameter';
  return Buffer.byteLength(value) > LARGEST_VALUE ? `is larger than ${LARGEST_VALUE} bytes` : undefined;
}
