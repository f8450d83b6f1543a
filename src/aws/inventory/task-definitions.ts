import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTaskDefinitionCommand, ListTaskDefinitionsCommand, type ECSClient } from '@aws-sdk/client-ecs';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { familyOf } from '../ecs-task-definitions.ts';
import { awsMessage, isAwsError, sent } from '../errors.ts';
import { tagsOf } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';

/** Tags of a revision cost a call each, which nothing else paces: at most ten a second, in ms. */
const BETWEEN_LOOKS_MS = 100;

/** ACTIVE revisions: those that were deregistered stay INACTIVE for good, which is no leak (a residue). */
export function taskDefinitionList(client: ECSClient): TypeList {
  return {
    async list(isHeld) {
      const items: SweptItem[] = [];
      for (const arn of await listActive(client)) {
        if (isHeld('ecs:task-definition', familyOf(arn), arn)) {
          items.push({ ...bare(arn), tags: undefined });
          continue;
        }
        const item = await find(client, arn);
        if (item) items.push(item);
        await sleep(BETWEEN_LOOKS_MS);
      }
      return items;
    },
    find: ({ physicalId }) => find(client, physicalId),
  };
}

function listActive(client: ECSClient): Promise<string[]> {
  return allPages(async (nextToken) => {
    const page = await client.send(new ListTaskDefinitionsCommand({ status: 'ACTIVE', maxResults: 100, nextToken }));
    const call = { service: 'ecs', action: 'ListTaskDefinitions' };
    return { items: sent(page.taskDefinitionArns, call, 'taskDefinitionArns'), next: page.nextToken };
  });
}

async function find(client: ECSClient, arn: string): Promise<SweptItem | undefined> {
  try {
    const answer = await retryTransient(() =>
      client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn, include: ['TAGS'] })),
    );
    const call = { service: 'ecs', action: 'DescribeTaskDefinition' };
    const definition = sent(answer.taskDefinition, call, 'taskDefinition');
    if (definition.status !== 'ACTIVE') return undefined;
    const tags = tagsOf(answer.tags);
    const createdAt = definition.registeredAt;
    return { ...bare(arn), tags, createdAt, seen: { physicalId: arn, tags, createdAt } };
  } catch (error) {
    // ECS has no error of its own for a missing revision.
    const missing = isAwsError(error, 'ClientException') && /unable to describe|not found/i.test(awsMessage(error));
    if (missing) return undefined;
    throw error;
  }
}

function bare(arn: string) {
  return {
    type: 'ecs:task-definition' as const,
    physicalId: arn,
    name: familyOf(arn),
    createdAt: undefined,
    passing: undefined,
    seen: { physicalId: arn },
  };
}
