import {
  DescribeTasksCommand,
  ListTasksCommand,
  type ECSClient,
  type ListTasksCommandOutput,
  type Task,
} from '@aws-sdk/client-ecs';
import { isAwsError, sent } from './errors.ts';
import { sharedLook } from './watcher.ts';

export interface StoppedTask {
  readonly arn: string;
  readonly taskDefinitionArn: string;
  readonly createdAt: Date | undefined;
  /** `EssentialContainerExited`, `TaskFailedToStart`, `ServiceSchedulerInitiated`, ... */
  readonly stopCode: string | undefined;
  /** ECS's words, with those of the containers that have any. */
  readonly reason: string;
}

export interface RunningTask {
  readonly arn: string;
  readonly taskDefinitionArn: string;
  /** Private addresses of its network interfaces. */
  readonly addresses: readonly string[];
}

export interface EcsTasks {
  /** Tasks of a service that run or are about to, whatever their revision. */
  findRunningTasks(serviceName: string): Promise<readonly RunningTask[]>;
  /**
   * Tasks of a service that stopped lately (ECS keeps them about an hour). Shared look; an answer is shared for some
   * seconds, because a stopped task stays stopped and each look costs two calls.
   */
  findStoppedTasks(serviceName: string): Promise<readonly StoppedTask[]>;
}

const SHARE_MS = 3_000;

export function createEcsTasks(client: ECSClient, cluster: string): EcsTasks {
  const look = sharedLook<string, readonly StoppedTask[]>({
    batchSize: 1,
    shareMs: SHARE_MS,
    load: async ([serviceName = '']) => {
      try {
        return new Map([[serviceName, await findStopped(client, cluster, serviceName)]]);
      } catch (error) {
        // Deleted since the caller saw it: it has no tasks to tell of.
        if (isAwsError(error, 'ServiceNotFoundException', 'ServiceNotActiveException')) return new Map();
        throw error;
      }
    },
  });
  return {
    findStoppedTasks: async (serviceName) => (await look(serviceName)) ?? [],
    findRunningTasks: (serviceName) => findRunning(client, cluster, serviceName),
  };
}

async function findRunning(client: ECSClient, cluster: string, serviceName: string): Promise<readonly RunningTask[]> {
  const found: RunningTask[] = [];
  let nextToken: string | undefined;
  do {
    const page: ListTasksCommandOutput = await client.send(
      new ListTasksCommand({ cluster, serviceName, desiredStatus: 'RUNNING', maxResults: 100, nextToken }),
    );
    const tasks = sent(page.taskArns, { service: 'ecs', action: 'ListTasks' }, 'taskArns');
    if (tasks.length > 0) {
      const answer = await client.send(new DescribeTasksCommand({ cluster, tasks }));
      found.push(...sent(answer.tasks, { service: 'ecs', action: 'DescribeTasks' }, 'tasks').map(toRunningTask));
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

async function findStopped(client: ECSClient, cluster: string, serviceName: string): Promise<readonly StoppedTask[]> {
  const listed = await client.send(
    new ListTasksCommand({ cluster, serviceName, desiredStatus: 'STOPPED', maxResults: 100 }),
  );
  const tasks = sent(listed.taskArns, { service: 'ecs', action: 'ListTasks' }, 'taskArns');
  if (tasks.length === 0) return [];
  const answer = await client.send(new DescribeTasksCommand({ cluster, tasks }));
  return sent(answer.tasks, { service: 'ecs', action: 'DescribeTasks' }, 'tasks').map(toStoppedTask);
}

function toRunningTask(raw: Task): RunningTask {
  const call = { service: 'ecs', action: 'DescribeTasks' };
  const details = (raw.attachments ?? []).flatMap((attachment) => attachment.details ?? []);
  return {
    arn: sent(raw.taskArn, call, 'task.taskArn'),
    taskDefinitionArn: sent(raw.taskDefinitionArn, call, 'task.taskDefinitionArn'),
    addresses: details.filter((d) => d.name === 'privateIPv4Address').flatMap((d) => d.value ?? []),
  };
}

function toStoppedTask(raw: Task): StoppedTask {
  const call = { service: 'ecs', action: 'DescribeTasks' };
  const containers = (raw.containers ?? [])
    .filter((c) => c.reason !== undefined || (c.exitCode !== undefined && c.exitCode !== 0))
    .map(
      (c) =>
        `${c.name ?? '?'}: ${[c.reason, c.exitCode === undefined ? undefined : `exit code ${c.exitCode}`].filter(Boolean).join(', ')}`,
    );
  return {
    arn: sent(raw.taskArn, call, 'task.taskArn'),
    taskDefinitionArn: sent(raw.taskDefinitionArn, call, 'task.taskDefinitionArn'),
    createdAt: raw.createdAt,
    stopCode: raw.stopCode,
    reason: [raw.stoppedReason ?? 'no reason given', ...containers].join('; '),
  };
}
