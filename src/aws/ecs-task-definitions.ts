import {
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  type ECSClient,
  type RegisterTaskDefinitionCommandInput,
  type TaskDefinition,
} from '@aws-sdk/client-ecs';
import { awsMessage, isAwsError, sent } from './errors.ts';
import { keepRawAnswer, unknownMembers } from './raw-answer.ts';
import { lowerKeyValueList, tagsOf, type Tags } from './tags.ts';
import { sharedLook } from './watcher.ts';

/** A revision: AWS's own description of it (what is cloned), with its tags. */
export interface TaskDefinitionRevision {
  readonly arn: string;
  readonly active: boolean;
  readonly definition: TaskDefinition;
  /** Paths of what AWS says of it and the SDK's model, and so `definition`, does not have. */
  readonly unknownFields: readonly string[];
  readonly tags: Tags;
}

/** What registers a revision. */
export type TaskDefinitionInput = Omit<RegisterTaskDefinitionCommandInput, 'tags'>;

export interface EcsTaskDefinitions {
  /** Undefined when there is none of this ARN. Shared look. */
  findTaskDefinition(arn: string): Promise<TaskDefinitionRevision | undefined>;
  /** Revisions of exactly this family, newest first. */
  findRevisions(family: string, status: 'ACTIVE' | 'INACTIVE'): Promise<readonly TaskDefinitionRevision[]>;
  /** INACTIVE ones that pass, newest first, until a look at {@link LOOK_SIZE} of them finds none: a family keeps all that it ever had. */
  findLatestInactive(
    family: string,
    passes: (revision: TaskDefinitionRevision) => boolean,
  ): Promise<readonly TaskDefinitionRevision[]>;
  /** Registers one more revision and answers its ARN. Not idempotent: look first. */
  registerTaskDefinition(input: TaskDefinitionInput, tags: Tags): Promise<string>;
  /** Makes a revision INACTIVE; one that is so already, or missing, is done. */
  deregisterTaskDefinition(arn: string): Promise<void>;
}

const service = 'ecs';
/** Revisions that are described at once. */
export const LOOK_SIZE = 10;

export function createEcsTaskDefinitions(client: ECSClient): EcsTaskDefinitions {
  const findTaskDefinition = sharedLook<string, TaskDefinitionRevision>({
    batchSize: 1,
    load: async ([arn = '']) => {
      const found = await describe(client, arn);
      return new Map(found ? [[arn, found]] : []);
    },
  });

  return {
    findTaskDefinition,

    async findRevisions(family, status) {
      const arns = await listRevisions(client, family, status);
      const revisions = await Promise.all(arns.map(findTaskDefinition));
      return revisions.filter((revision) => revision !== undefined);
    },

    async findLatestInactive(family, passes) {
      const arns = await listRevisions(client, family, 'INACTIVE');
      const found: TaskDefinitionRevision[] = [];
      for (let at = 0; at < arns.length; at += LOOK_SIZE) {
        const looked = await Promise.all(arns.slice(at, at + LOOK_SIZE).map(findTaskDefinition));
        const passing = looked.filter((revision) => revision !== undefined).filter(passes);
        if (passing.length === 0) break;
        found.push(...passing);
      }
      return found;
    },

    async registerTaskDefinition(input, tags) {
      const answer = await client.send(new RegisterTaskDefinitionCommand({ ...input, tags: lowerKeyValueList(tags) }));
      const call = { service, action: 'RegisterTaskDefinition' };
      return sent(answer.taskDefinition?.taskDefinitionArn, call, 'taskDefinition.taskDefinitionArn');
    },

    async deregisterTaskDefinition(arn) {
      try {
        await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn }));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/** Family of a task definition's ARN (`...:task-definition/<family>:<revision>`). */
export function familyOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1, arn.lastIndexOf(':'));
}

async function listRevisions(client: ECSClient, family: string, status: 'ACTIVE' | 'INACTIVE'): Promise<string[]> {
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    const answer = await client.send(
      new ListTaskDefinitionsCommand({ familyPrefix: family, status, sort: 'DESC', nextToken }),
    );
    arns.push(...sent(answer.taskDefinitionArns, { service, action: 'ListTaskDefinitions' }, 'taskDefinitionArns'));
    nextToken = answer.nextToken;
  } while (nextToken);
  // AWS takes the parameter as a whole family name, emulators as the prefix that it is called.
  const revision = (arn: string) => Number(arn.slice(arn.lastIndexOf(':') + 1));
  return arns.filter((arn) => familyOf(arn) === family).sort((a, b) => revision(b) - revision(a));
}

async function describe(client: ECSClient, arn: string): Promise<TaskDefinitionRevision | undefined> {
  const call = { service, action: 'DescribeTaskDefinition' };
  try {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition: arn, include: ['TAGS'] });
    const rawAnswer = keepRawAnswer(command, call);
    const answer = await client.send(command);
    const definition = sent(answer.taskDefinition, call, 'taskDefinition');
    return {
      arn: sent(definition.taskDefinitionArn, call, 'taskDefinition.taskDefinitionArn'),
      active: sent(definition.status, call, 'taskDefinition.status') === 'ACTIVE',
      definition,
      unknownFields: unknownMembers(memberOf(rawAnswer(), 'taskDefinition'), definition),
      tags: tagsOf(answer.tags),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function memberOf(answer: unknown, name: string): unknown {
  return typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
}

/** ECS has no error of its own for a missing revision: a ClientException whose words tell. */
function isMissing(error: unknown): boolean {
  return (
    isAwsError(error, 'ClientException', 'InvalidParameterException') &&
    /unable to describe task definition|does not exist|not found|inactive/i.test(awsMessage(error))
  );
}
