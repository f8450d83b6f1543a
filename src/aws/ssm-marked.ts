import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParametersCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  type DescribeParametersResult,
  type Parameter as RawParameter,
  type ParameterMetadata,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { ownershipTags, parseOwnershipMarker } from '../naming.ts';
import { StepError } from '../contracts/step-error.ts';
import { isAwsError, sent } from './errors.ts';
import { chunks } from './inventory/pages.ts';
import { findOwner, keyValueList, tagsOf, type Tags } from './tags.ts';

export type ParameterType = 'String' | 'SecureString';

/** A parameter as a look shows it, without the value of a SecureString. */
export interface Parameter {
  readonly arn: string;
  readonly name: string;
  /** `String`, `SecureString` or `StringList`. */
  readonly type: string;
  /** Undefined: it is a SecureString. */
  readonly value: string | undefined;
  /** From 1; each value that is written over has the next one. */
  readonly version: number;
  /** When it was made; undefined once its value was written over. */
  readonly createdAt: Date | undefined;
  /** The ownership mark of one that has it in its description alone is among them. */
  readonly tags: Tags;
  readonly isMarkedByTags: boolean;
}

/** What is particular to a SecureString. */
export interface SecureValue {
  /** In the clear. */
  readonly value: string;
  /** As it was named when the value was written. */
  readonly keyId: string | undefined;
}

export interface ParameterToWrite {
  readonly name: string;
  readonly type: ParameterType;
  readonly value: string;
  /** Of a SecureString; absent: the account's own key for SSM. */
  readonly keyId?: string | undefined;
  /** The ownership mark as one line: a value that is written over late makes a parameter without tags. */
  readonly marker: string;
  readonly tags: Tags;
}

/** Parameters whose owner their tags tell. Every method throws StepError. */
export interface MarkedParameters {
  /** Those of these names that are there. */
  findParameters(names: readonly string[]): Promise<ReadonlyMap<string, Parameter>>;
  /** Those of these SecureStrings that are there. */
  readSecure(names: readonly string[]): Promise<ReadonlyMap<string, SecureValue>>;
  /** @throws StepError CONFLICT_RETRYABLE when there is one of the name */
  createParameter(parameter: ParameterToWrite): Promise<void>;
  /** Gives one that is there another value; its tags stay. */
  overwriteParameter(parameter: ParameterToWrite): Promise<void>;
  tagParameter(name: string, tags: Tags): Promise<void>;
  untagParameter(name: string, keys: readonly string[]): Promise<void>;
  /** Missing is done. */
  removeParameters(names: readonly string[]): Promise<void>;
}

/** GetParameters and DeleteParameters take so many names a call (API reference). */
const NAMES_PER_CALL = 10;

const service = 'ssm';

export function createMarkedParameters(client: SSMClient): MarkedParameters {
  const tag = async (name: string, tags: Tags) => {
    await client.send(
      new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: name, Tags: keyValueList(tags) }),
    );
  };
  return {
    async findParameters(names) {
      const found = await getParameters(client, names, false);
      const marks = await marksOf(client, [...found.keys()]);
      // One without marks went between the two calls.
      return new Map(
        [...found].flatMap(([name, raw]) => {
          const mark = marks.get(name);
          return mark ? [[name, toParameter(raw, mark)] as const] : [];
        }),
      );
    },

    async readSecure(names) {
      const found = await getParameters(client, names, true);
      const described = await describeParameters(client, [...found.keys()]);
      const call = { service, action: 'GetParameters' };
      return new Map(
        [...found].map(([name, { Value }]) => [
          name,
          { value: sent(Value, call, 'Parameters[].Value'), keyId: described.get(name)?.KeyId },
        ]),
      );
    },

    async createParameter(parameter) {
      // AWS takes no tags together with `Overwrite`, so that nothing is written over here.
      await client.send(new PutParameterCommand({ ...inputOf(parameter), Tags: keyValueList(parameter.tags) }));
    },

    async overwriteParameter(parameter) {
      const { Version } = await client.send(new PutParameterCommand({ ...inputOf(parameter), Overwrite: true }));
      // It was gone since it was looked at: AWS made it anew, without tags.
      if (sent(Version, { service, action: 'PutParameter' }, 'Version') === 1)
        await tag(parameter.name, parameter.tags);
    },

    tagParameter: tag,

    async untagParameter(name, keys) {
      await client.send(
        new RemoveTagsFromResourceCommand({ ResourceType: 'Parameter', ResourceId: name, TagKeys: [...keys] }),
      );
    },

    async removeParameters(names) {
      for (const Names of chunks(names, NAMES_PER_CALL)) await client.send(new DeleteParametersCommand({ Names }));
    },
  };
}

/** Tags of a parameter; undefined when there is none of the name. */
export async function findParameterTags(client: SSMClient, name: string): Promise<Tags | undefined> {
  try {
    const answer = await client.send(new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId: name }));
    return tagsOf(sent(answer.TagList, { service, action: 'ListTagsForResource' }, 'TagList'));
  } catch (error) {
    if (isAwsError(error, 'InvalidResourceId')) return undefined;
    throw error;
  }
}

/** The mark of a parameter: its tags, or what its description says where they tell of no owner. */
export function markOf(tags: Tags, description: string | undefined): Tags {
  const told = findOwner(tags) ? undefined : parseOwnershipMarker(description ?? '');
  return told ? { ...tags, ...ownershipTags(told) } : tags;
}

function inputOf({ name: Name, type: Type, value: Value, keyId: KeyId, marker: Description }: ParameterToWrite) {
  return { Name, Type, Value, KeyId, Description };
}

/** By name. Absent is only what AWS calls so. */
async function getParameters(
  client: SSMClient,
  names: readonly string[],
  WithDecryption: boolean,
): Promise<Map<string, RawParameter>> {
  const found = new Map<string, RawParameter>();
  for (const Names of chunks(names, NAMES_PER_CALL)) {
    const call = { service, action: 'GetParameters' };
    const answer = await client.send(new GetParametersCommand({ Names, WithDecryption }));
    const parameters = new Map(sent(answer.Parameters, call, 'Parameters').map((raw) => [raw.Name, raw]));
    for (const name of Names) {
      const raw = parameters.get(name);
      if (raw) found.set(name, raw);
      else if (answer.InvalidParameters?.includes(name) !== true)
        throw new StepError('AWS_ANSWER_UNREADABLE', `ssm:GetParameters said nothing of ${name}`);
    }
  }
  return found;
}

type Mark = Pick<Parameter, 'tags' | 'isMarkedByTags'>;

/** Names without an entry are gone. */
async function marksOf(client: SSMClient, names: readonly string[]): Promise<Map<string, Mark>> {
  const tags = new Map<string, Tags>();
  await Promise.all(
    names.map(async (name) => {
      const held = await findParameterTags(client, name);
      if (held) tags.set(name, held);
    }),
  );
  const isMarked = (held: Tags) => findOwner(held) !== undefined;
  const unmarked = [...tags].filter(([, held]) => !isMarked(held)).map(([name]) => name);
  const described = await describeParameters(client, unmarked);
  return new Map(
    [...tags].map(([name, held]) => [
      name,
      { tags: markOf(held, described.get(name)?.Description), isMarkedByTags: isMarked(held) },
    ]),
  );
}

async function describeParameters(
  client: SSMClient,
  names: readonly string[],
): Promise<Map<string, ParameterMetadata>> {
  const found = new Map<string, ParameterMetadata>();
  for (const Values of chunks(names, DESCRIBED_PER_CALL)) {
    let NextToken: string | undefined;
    do {
      const ParameterFilters = [{ Key: 'Name', Option: 'Equals', Values }];
      const page: DescribeParametersResult = await client.send(
        new DescribeParametersCommand({ ParameterFilters, NextToken, MaxResults: DESCRIBED_PER_CALL }),
      );
      const all = sent(page.Parameters, { service, action: 'DescribeParameters' }, 'Parameters');
      for (const one of all) if (one.Name !== undefined) found.set(one.Name, one);
      NextToken = page.NextToken;
    } while (NextToken);
  }
  return found;
}

/** So many values of a filter, and parameters of a page (API reference). */
const DESCRIBED_PER_CALL = 50;

function toParameter(raw: RawParameter, mark: Mark): Parameter {
  const call = { service, action: 'GetParameters' };
  const type = sent(raw.Type, call, 'Parameters[].Type');
  const version = sent(raw.Version, call, 'Parameters[].Version');
  return {
    arn: sent(raw.ARN, call, 'Parameters[].ARN'),
    name: sent(raw.Name, call, 'Parameters[].Name'),
    type,
    value: type === 'SecureString' ? undefined : sent(raw.Value, call, 'Parameters[].Value'),
    version,
    createdAt: version === 1 ? raw.LastModifiedDate : undefined,
    ...mark,
  };
}
