import {
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand,
  type CloudWatchLogsClient,
  type LogGroup,
} from '@aws-sdk/client-cloudwatch-logs';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { isAwsError, sent } from '../errors.ts';
import type { Tags } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';

/** Every log group that we make is named so; those of other names are not looked at. */
const PREFIX = '/ecs/';

/** Tags cost a call per group: of those that the ledger does not hold. */
export function logGroupList(client: CloudWatchLogsClient): TypeList {
  return {
    async list(isHeld) {
      const items: SweptItem[] = [];
      for (const group of await listGroups(client, PREFIX)) {
        if (isHeld('logs:log-group', nameOf(group), arnOf(group))) items.push(toItem(group, undefined));
        else items.push(...(await withTags(client, group)));
      }
      return items;
    },
    async find({ name }) {
      const group = (await listGroups(client, name)).find((g) => g.logGroupName === name);
      return group && (await withTags(client, group))[0];
    },
  };
}

const call = { service: 'logs', action: 'DescribeLogGroups' };

function listGroups(client: CloudWatchLogsClient, logGroupNamePrefix: string): Promise<LogGroup[]> {
  return allPages(async (nextToken) => {
    const page = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix, nextToken, limit: 50 }));
    return { items: sent(page.logGroups, call, 'logGroups'), next: page.nextToken };
  });
}

async function withTags(client: CloudWatchLogsClient, group: LogGroup): Promise<SweptItem[]> {
  try {
    const tags = await retryTransient(async () => {
      const answer = await client.send(new ListTagsForResourceCommand({ resourceArn: arnOf(group) }));
      return sent(answer.tags, { service: 'logs', action: 'ListTagsForResource' }, 'tags');
    });
    return [toItem(group, tags)];
  } catch (error) {
    // Gone between the two calls.
    if (isAwsError(error, 'ResourceNotFoundException')) return [];
    throw error;
  }
}

const nameOf = (group: LogGroup): string => sent(group.logGroupName, call, 'logGroupName');
/** `arn` ends in `:*`, which the tag calls refuse. */
const arnOf = (group: LogGroup): string => sent(group.arn, call, 'arn').replace(/:\*$/, '');

function toItem(group: LogGroup, tags: Tags | undefined): SweptItem {
  const createdAt = group.creationTime === undefined ? undefined : new Date(group.creationTime);
  return {
    type: 'logs:log-group',
    physicalId: arnOf(group),
    name: nameOf(group),
    tags,
    createdAt,
    passing: undefined,
    seen: { physicalId: arnOf(group), tags, createdAt, retentionInDays: group.retentionInDays },
  };
}
