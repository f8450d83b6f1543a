import type { ParameterToWrite } from '../../aws/ssm-marked.ts';
import { markerOfTags } from '../../naming.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import { fieldsOf } from '../framework/within.ts';
import {
  hasOtherKey,
  hasOtherValue,
  PARAMETER,
  parameterDifferences,
  tagChanges,
  type ParameterSeen,
} from './differences.ts';
import { compareSet, lookAtSet, notOurs, refuseForeign } from './look.ts';
import {
  parametersOf,
  parametersOutputs,
  parametersSpec,
  type ParametersContext as Context,
  type ParametersOutputs,
  type ParametersSpec,
  type SetParameter,
} from './spec.ts';
import { parameterType } from './type.ts';

/**
 * Parameters of the SSM Parameter Store below one path. The names are the step's for good; others may have more of them there, which are
 * neither looked at nor taken away. A value is written over where it differs (requirement U-31), but for an initial one.
 */
export const ssmParameters: Kind<ParametersSpec, ParametersOutputs, 'ssm:parameter'> = {
  name: 'ssm-parameters',
  spec: parametersSpec,
  outputs: parametersOutputs,
  changeable: ['values', 'tags'],
  types: { 'ssm:parameter': parameterType },
  // A parameter that was made anew under its name within one tenant's life is met by a deletion that comes late.
  deletesByName: true,
  permissions: [
    'ssm:GetParameters',
    'ssm:ListTagsForResource',
    'ssm:DescribeParameters',
    'ssm:PutParameter',
    'ssm:AddTagsToResource',
    'ssm:RemoveTagsFromResource',
    'ssm:DeleteParameters',
    'secretsmanager:GetSecretValue',
    'kms:Encrypt',
    'kms:Decrypt',
  ],
  calls: {
    ensure: ['ssm:PutParameter', 'ssm:AddTagsToResource', 'ssm:RemoveTagsFromResource'],
    remove: ['ssm:DeleteParameters'],
  },
  inCell: ({ path, parameters, values }, within) => [
    ...within.tenantId(path),
    // What is taken away needs no secret.
    ...(within.purpose === 'make'
      ? Object.entries(fieldsOf(parameters))
          .filter(([, of]) => fieldsOf(of)['type'] === 'SecureString')
          .flatMap(([key]) => within.secret(fieldsOf(values)[key]))
      : []),
  ],
  physicalNames: resourcesOf,
  resources: ({ spec }) => resourcesOf(spec),

  async ensure(context) {
    const seen = await lookAtSet(context);
    await refuseForeign(context, seen);
    const earlier = await earlierTags(context);
    const set = await compareSet(context, seen);
    for (const one of set) {
      if (!one.found) await create(context, one);
      else await converge(context, one, earlier);
    }
    return {
      status: 'ready',
      outputs: outputsOf(context),
      physicalIds: Object.fromEntries(seen.own.map(({ name, arn }) => [name, arn])),
      anew: seen.absent.map(resourceOf),
    };
  },

  async observe(context): Promise<Observation> {
    const seen = await lookAtSet(context);
    const { absent, foreign, own } = seen;
    const count = own.length + absent.length + foreign.length;
    const detail = `${own.length} of ${count} parameters below ${context.spec.path} are there`;
    if (own.length === count) return { status: 'ready', detail };
    const others = await context.notOurs(notOurs(seen));
    if (own.length === 0) return { status: 'absent', detail, others };
    return context.removingAt === undefined
      ? { status: 'pending', detail, missing: absent.map(resourceOf) }
      : { status: 'ready', detail };
  },

  async differs(context) {
    const set = await compareSet(context, await lookAtSet(context));
    return set.flatMap((one) => parameterDifferences(one, { mark: context.tags, own: context.spec.tags ?? {} }));
  },

  async remove(context) {
    const seen = await lookAtSet(context);
    // Before anything goes: a set that has lost a mark is looked at by people first.
    const others = await context.notOurs(notOurs(seen));
    const names = seen.own.map(({ name }) => name);
    if (names.length > 0) await context.aws.markedParameters.removeParameters(names);
    const left = names.length > 0 ? (await lookAtSet(context)).own : [];
    return {
      status: left.length > 0 ? 'pending' : 'removed',
      others,
      ...(seen.absent.length > 0 && { missing: true }),
    };
  },
};

async function create(context: Context, { of, wanted }: ParameterSeen): Promise<void> {
  await context.aws.markedParameters.createParameter(toWrite(context, of, wanted));
  await context.made([resourceOf(of)]);
}

/** Its value, its key and the spec's tags; the tags of its mark where its description alone bears that. */
async function converge(context: Context, seen: ParameterSeen, earlier: readonly string[]): Promise<void> {
  const { aws, spec, tags } = context;
  const { found, of, wanted } = seen;
  if (!found) return;
  if (found.type !== of.type)
    throw new StepError(
      'INVALID_REQUEST',
      `parameter ${of.name} is a ${found.type}, and AWS makes no ${of.type} of it`,
      {
        detail: 'delete it by hand, then retry',
      },
    );
  if (hasOtherValue(seen) || (of.type === 'SecureString' && hasOtherKey(seen)))
    await aws.markedParameters.overwriteParameter(toWrite(context, of, wanted));
  const marked = found.isMarkedByTags ? {} : tags;
  const { drop, put } = tagChanges(found.tags, spec.tags ?? {}, earlier);
  const added = { ...marked, ...put };
  if (Object.keys(added).length > 0) await aws.markedParameters.tagParameter(of.name, added);
  if (drop.length > 0) await aws.markedParameters.untagParameter(of.name, drop);
}

function toWrite({ spec, tags }: Context, { keyId, name, type }: SetParameter, value: string): ParameterToWrite {
  return { name, type, value, keyId, marker: markerOfTags(tags), tags: { ...spec.tags, ...tags } };
}

/** Keys of tags that an earlier spec had, or the other side of an update has. */
async function earlierTags({ otherSpec, previous }: Context): Promise<string[]> {
  return [...Object.keys((await otherSpec?.())?.tags ?? {}), ...(previous.tagKeys ?? [])];
}

function outputsOf({ cell, spec: { path, tags = {} } }: Context): ParametersOutputs {
  const arn = `arn:aws:ssm:${cell.region}:${cell.accountId}:parameter${path}`;
  return { path, arn, tagKeys: Object.keys(tags) };
}

function resourcesOf(spec: Pick<Context['spec'], 'path' | 'parameters'>) {
  return parametersOf(spec).map(resourceOf);
}

function resourceOf({ name }: Pick<SetParameter, 'name'>) {
  return { type: PARAMETER, name };
}
