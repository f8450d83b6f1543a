import {
  DescribeParametersCommand,
  GetParametersCommand,
  ListTagsForResourceCommand,
  type Parameter as RawParameter,
  type ParameterMetadata,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { ownershipTags, parseOwnershipMarker } from '../naming.ts';
import { StepError } from '../contracts/step-error.ts';
import { isAwsError, sent } from './errors.ts';
import { chunks } from './inventory/pages.ts';
import { findOwner, tagsOf, type Tags } from './tags.ts';

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
  /** With the ownership mark that its description bears, where they have none: `markOf`. */
  readonly tags: Tags;
  readonly isMarkedByTags: boolean;
}

/** GetParameters and DeleteParameters take so many names a call (API reference). */
export const NAMES_PER_CALL = 10;

const service = 'ssm';

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

/**
 * The mark of a parameter: its tags. A value that is written over when the parameter has just gone makes it anew, without tags: only that
 * gives a first version a description which is a mark, and then that counts.
 */
export function markOf(tags: Tags, { Description = '', Version }: Partial<ParameterMetadata>): Tags {
  const told = findOwner(tags) || Version !== 1 ? undefined : parseOwnershipMarker(Description);
  return told ? { ...tags, ...ownershipTags(told) } : tags;
}

/** By name. Absent is only what AWS calls so. */
export async function getParameters(
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

/** Whose a parameter is. */
export type Mark = Pick<Parameter, 'tags' | 'isMarkedByTags'>;

/** Names without an entry are gone. */
export async function marksOf(
  client: SSMClient,
  parameters: ReadonlyMap<string, RawParameter>,
): Promise<Map<string, Mark>> {
  const tags = new Map<string, Tags>();
  await Promise.all(
    [...parameters.keys()].map(async (name) => {
      const held = await findParameterTags(client, name);
      if (held) tags.set(name, held);
    }),
  );
  const isMarked = (held: Tags) => findOwner(held) !== undefined;
  const bare = [...tags].filter(([name, held]) => !isMarked(held) && parameters.get(name)?.Version === 1);
  const described = await describeParameters(
    client,
    bare.map(([name]) => name),
  );
  return new Map(
    [...tags].map(([name, held]) => [
      name,
      { tags: markOf(held, described.get(name) ?? {}), isMarkedByTags: isMarked(held) },
    ]),
  );
}

export async function describeParameters(
  client: SSMClient,
  names: readonly string[],
): Promise<Map<string, ParameterMetadata>> {
  const found = new Map<string, ParameterMetadata>();
  for (const chunk of chunks(names, DESCRIBED_PER_CALL)) {
    let token: string | undefined;
    do {
      const { items, next } = await describePage(client, chunk, token);
      for (const one of items) if (one.Name !== undefined) found.set(one.Name, one);
      token = next;
    } while (token);
  }
  return found;
}

/** So many values of a filter, and parameters of a page (API reference). */
const DESCRIBED_PER_CALL = 50;

/** One page of the parameters of these names, or of all. */
export async function describePage(
  client: SSMClient,
  names: readonly string[] | undefined,
  NextToken: string | undefined,
): Promise<{ readonly items: readonly ParameterMetadata[]; readonly next: string | undefined }> {
  const ParameterFilters = names && [{ Key: 'Name', Option: 'Equals', Values: [...names] }];
  const page = await client.send(
    new DescribeParametersCommand({ ParameterFilters, NextToken, MaxResults: DESCRIBED_PER_CALL }),
  );
  return {
    items: sent(page.Parameters, { service, action: 'DescribeParameters' }, 'Parameters'),
    next: page.NextToken,
  };
}

export function toParameter(raw: RawParameter, mark: Mark): Parameter {
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
