import { DescribeTasksCommand, ListTasksCommand, type ECSClient, type Task } from '@aws-sdk/client-ecs';
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

export interface EcsTasks {
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
        return new Map([[serviceName, await load(client, cluster, serviceName)]]);
      } catch (error) {
        // Deleted since the caller saw it: it has no tasks to tell of.
        if (isAwsError(error, 'ServiceNotFoundException', 'ServiceNotActiveException')) return new Map();
        throw error;
      }
    },
  });
  return { findStoppedTasks: async (serviceName) => (await look(serviceName)) ?? [] };
}

async function load(client: ECSClient, cluster: string, serviceName: string): Promise<readonly StoppedTask[]> {
  const listed = await client.send(
    new ListTasksCommand({ cluster, serviceName, desiredStatus: 'STOPPED', maxResults: 100 }),
  );
  const tasks = listed.taskArns ?? [];
  if (tasks.length === 0) return [];
  const answer = await client.send(new DescribeTasksCommand({ cluster, tasks }));
  return (answer.tasks ?? []).map(toStoppedTask);
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
