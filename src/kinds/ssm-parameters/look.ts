import type { Parameter } from '../../aws/ssm-marked.ts';
import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { NotOurs } from '../framework/ownership.ts';
import { PARAMETER, type ParameterSeen } from './differences.ts';
import { parametersOf, textProblem, type ParametersContext as Context, type SetParameter } from './spec.ts';

/** A set as one look shows it. */
export interface SetSeen {
  readonly own: readonly Parameter[];
  /** Without this tenant's mark. */
  readonly foreign: readonly Parameter[];
  /** Those that are not there. */
  readonly absent: readonly SetParameter[];
}

/** Of the set alone: what others have below the path is not looked at. */
export async function lookAtSet(context: Context): Promise<SetSeen> {
  const set = parametersOf(context.spec);
  const found = await context.aws.markedParameters.findParameters(set.map(({ name }) => name));
  const there = [...found.values()];
  const isOwn = ({ tags }: Parameter) => isOwnedBy(tags, ownerOf(context.tags));
  return {
    own: there.filter(isOwn),
    foreign: there.filter((parameter) => !isOwn(parameter)),
    absent: set.filter(({ name }) => !found.has(name)),
  };
}

/** What is there beside what is wanted. Reads the secrets that SecureStrings have their values of. */
export async function compareSet(context: Context, { own, foreign }: SetSeen): Promise<ParameterSeen[]> {
  const { aws, spec } = context;
  const set = parametersOf(spec);
  const isSecure = ({ name, type }: Parameter) =>
    type === 'SecureString' && set.some((of) => of.name === name && of.type === type);
  const secure = await aws.markedParameters.readSecure(own.filter(isSecure).map(({ name }) => name));
  // A SecureString without a value went between the two calls.
  const isGone = (parameter: Parameter) => isSecure(parameter) && !secure.has(parameter.name);
  const there = new Map(
    [...own.filter((one) => !isGone(one)), ...foreign].map((parameter) => [parameter.name, parameter]),
  );
  return Promise.all(
    set.map(async (of) => ({
      of,
      wanted: await valueOf(context, of),
      found: there.get(of.name),
      secure: secure.get(of.name),
    })),
  );
}

/** Words of AWS on a value that it refuses may hold the value: it is looked at before. */
async function valueOf({ aws, spec }: Context, { key, name, type }: SetParameter): Promise<string> {
  const given = spec.values[key];
  if (given === undefined) throw new StepError('BLUEPRINT_INVALID', `parameter ${name} has no value`);
  const value = type === 'SecureString' ? await aws.secrets.readSecret(given) : given;
  const problem = textProblem(value);
  if (problem !== undefined) throw new StepError('INVALID_REQUEST', `the value of parameter ${name} ${problem}`);
  return value;
}

/** @throws StepError when a parameter of the set is somebody else's */
export async function refuseForeign(context: Context, { foreign }: SetSeen): Promise<void> {
  const [first] = foreign;
  if (!first) return;
  const { name, tags } = first;
  const detail = foreign.map((one) => `${one.arn}: ${describeHolder(one.tags)}`).join('; ');
  // After an attempt without an answer the mark of what it made may come into sight last.
  if (context.mayExist && foreign.every((one) => one.version === 1 && !findOwner(one.tags)))
    throw new StepError('CONFLICT_RETRYABLE', `parameter ${name} bears no mark yet`, { detail });
  const message = `parameter ${name} is somebody else's`;
  throw await refusalOf(context, { resource: { type: PARAMETER, name }, message, detail, owner: findOwner(tags) });
}

export function notOurs({ foreign }: SetSeen): NotOurs[] {
  return foreign.map(({ arn, createdAt, name, tags }) => ({
    type: PARAMETER,
    name,
    physicalId: arn,
    createdAt,
    mark: describeHolder(tags),
  }));
}
