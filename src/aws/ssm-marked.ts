import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { sent } from './errors.ts';
import { chunks } from './inventory/pages.ts';
import {
  describeParameters,
  getParameters,
  marksOf,
  NAMES_PER_CALL,
  toParameter,
  type Parameter,
} from './ssm-looks.ts';
import { keyValueList, type Tags } from './tags.ts';

export type { Parameter } from './ssm-looks.ts';

export type ParameterType = 'String' | 'SecureString';

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
  /** The ownership mark as one line: the description of one whose value is written over. */
  readonly marker: string;
  readonly tags: Tags;
}

/** Parameters whose owner their tags tell. Every method throws StepError. */
export interface MarkedParameters {
  /** Those of these names that are there. */
  findParameters(names: readonly string[]): Promise<ReadonlyMap<string, Parameter>>;
  /** Of one that others keep: its marks are not asked for. Undefined when there is none. */
  findValue(name: string): Promise<string | undefined>;
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

export function createMarkedParameters(client: SSMClient): MarkedParameters {
  const tag = async (name: string, tags: Tags) => {
    await client.send(
      new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: name, Tags: keyValueList(tags) }),
    );
  };
  return {
    async findParameters(names) {
      const found = await getParameters(client, names, false);
      const marks = await marksOf(client, found);
      // One without marks went between the two calls.
      return new Map(
        [...found].flatMap(([name, raw]) => {
          const mark = marks.get(name);
          return mark ? [[name, toParameter(raw, mark)] as const] : [];
        }),
      );
    },

    async findValue(name) {
      const raw = (await getParameters(client, [name], false)).get(name);
      return raw && sent(raw.Value, { service: 'ssm', action: 'GetParameters' }, 'Parameters[].Value');
    },

    async readSecure(names) {
      const found = await getParameters(client, names, true);
      const described = await describeParameters(client, [...found.keys()]);
      const call = { service: 'ssm', action: 'GetParameters' };
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
      const input = { ...inputOf(parameter), Description: parameter.marker, Overwrite: true };
      const { Version } = await client.send(new PutParameterCommand(input));
      // It was gone since it was looked at: AWS made it anew, without tags.
      if (sent(Version, { service: 'ssm', action: 'PutParameter' }, 'Version') === 1)
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

function inputOf({ name: Name, type: Type, value: Value, keyId: KeyId }: ParameterToWrite) {
  return { Name, Type, Value, KeyId };
}
