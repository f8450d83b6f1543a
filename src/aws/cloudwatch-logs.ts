import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand,
  PutRetentionPolicyCommand,
  type CloudWatchLogsClient,
} from '@aws-sdk/client-cloudwatch-logs';
import { isAwsError, sent } from './errors.ts';
import type { Tags } from './tags.ts';

export interface LogGroup {
  readonly arn: string;
  readonly name: string;
  readonly retentionDays: number | undefined;
  readonly createdAt: Date | undefined;
  readonly tags: Tags;
}

export interface Logs {
  findLogGroup(name: string): Promise<LogGroup | undefined>;
  /** @throws StepError CONFLICT_RETRYABLE when the name was taken meanwhile */
  createLogGroup(name: string, tags: Tags): Promise<void>;
  setRetention(name: string, days: number): Promise<void>;
  /** Missing is done. */
  deleteLogGroup(name: string): Promise<void>;
}

const service = 'logs';

export function createLogs(client: CloudWatchLogsClient): Logs {
  return {
    async findLogGroup(name) {
      // Sorted by name, so the exact one comes first of all that begin with it.
      const answer = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      const call = { service, action: 'DescribeLogGroups' };
      const raw = sent(answer.logGroups, call, 'logGroups').find((g) => g.logGroupName === name);
      if (!raw) return undefined;
      // `arn` ends in `:*`, which the tag calls refuse.
      const arn = sent(raw.arn, call, 'logGroups[].arn').replace(/:\*$/, '');
      try {
        const answered = await client.send(new ListTagsForResourceCommand({ resourceArn: arn }));
        const tags = sent(answered.tags, { service, action: 'ListTagsForResource' }, 'tags');
        const createdAt = raw.creationTime === undefined ? undefined : new Date(raw.creationTime);
        return { arn, name, retentionDays: raw.retentionInDays, createdAt, tags };
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },

    async createLogGroup(name, tags) {
      await client.send(new CreateLogGroupCommand({ logGroupName: name, tags: { ...tags } }));
    },

    async setRetention(name, days) {
      await client.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays: days }));
    },

    async deleteLogGroup(name) {
      try {
        await client.send(new DeleteLogGroupCommand({ logGroupName: name }));
      } catch (error) {
        if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
      }
    },
  };
}
