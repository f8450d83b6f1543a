import { z } from 'zod';
import { jsonAnswer } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { withJson, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { readInput } from './service-input.ts';
import type { ServiceStore } from './service-store.ts';
import type { TaskRunner } from './task-runner.ts';
import { taskTags, taskView } from './view.ts';

export interface TaskParts {
  readonly upstream: Upstream;
  readonly services: ServiceStore;
  readonly runner: TaskRunner;
}

const listInput = z.looseObject({
  cluster: z.string().default('default'),
  serviceName: z.string().optional(),
  family: z.string().optional(),
  startedBy: z.string().optional(),
  desiredStatus: z.enum(['RUNNING', 'PENDING', 'STOPPED']).default('RUNNING'),
  maxResults: z.int().min(1).max(100).default(100),
  nextToken: z.string().optional(),
});
const describeInput = z.looseObject({
  cluster: z.string().default('default'),
  tasks: z.array(z.string()).max(100),
  include: z.array(z.string()).nullish(),
});
const stopInput = z.looseObject({
  cluster: z.string().default('default'),
  task: z.string(),
  reason: z.string().optional(),
});
const listAnswer = z.looseObject({ taskArns: z.array(z.string()).default([]), nextToken: z.string().optional() });
const describeAnswer = z.looseObject({
  tasks: z.array(z.unknown()).default([]),
  failures: z.array(z.unknown()).default([]),
});

/** Tasks of services are the gateway's own; others (RunTask) stay upstream's. */
export function createTaskHandlers(parts: TaskParts): Record<string, Handler> {
  return {
    ListTasks: (call) => listTasks(parts, call),
    DescribeTasks: (call) => describeTasks(parts, call),
    StopTask: (call) => stopTask(parts, call),
  };
}

/** Pages of our own: the token is `own:<offset>` over our tasks followed by the upstream's. */
async function listTasks(parts: TaskParts, call: Call): Promise<Answer> {
  const input = readInput(call, listInput);
  const mine = parts.services
    .inCluster(call.scope, input.cluster)
    .flatMap((service) => service.tasks.map((task) => ({ service, task })))
    .filter(({ service }) => input.serviceName === undefined || service.name === input.serviceName.split('/').at(-1))
    .filter(({ task }) => input.family === undefined || task.taskDefinition.family === input.family)
    .filter(({ task }) => input.startedBy === undefined || task.deploymentId === input.startedBy)
    .filter(({ task }) => (task.desiredStatus === 'STOPPED') === (input.desiredStatus === 'STOPPED'))
    .map(({ task }) => task.arn);
  const answer = await parts.upstream.forward(withJson(call, { ...input, nextToken: undefined }));
  if (answer.status >= 300) return answer;
  const all = [...mine, ...listAnswer.parse(JSON.parse(answer.body.toString('utf8'))).taskArns];
  const start = Number(/^own:(\d+)$/.exec(input.nextToken ?? '')?.[1] ?? 0);
  const end = start + input.maxResults;
  return jsonAnswer({ taskArns: all.slice(start, end), ...(end < all.length && { nextToken: `own:${end}` }) });
}

async function describeTasks(parts: TaskParts, call: Call): Promise<Answer> {
  const input = readInput(call, describeInput);
  const found = input.tasks.flatMap((reference) => parts.services.task(call.scope, input.cluster, reference) ?? []);
  const others = input.tasks.filter((reference) => !parts.services.task(call.scope, input.cluster, reference));
  const withTags = input.include?.includes('TAGS') ?? false;
  const views = found.map(({ service, task }) => ({
    ...taskView(service, task),
    ...(withTags && { tags: taskTags(service) }),
  }));
  if (others.length === 0) return jsonAnswer({ tasks: views, failures: [] });
  const answer = await parts.upstream.forward(withJson(call, { ...input, tasks: others }));
  if (answer.status >= 300) return answer;
  const body = describeAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  return jsonAnswer({ tasks: [...views, ...body.tasks], failures: body.failures });
}

async function stopTask(parts: TaskParts, call: Call): Promise<Answer> {
  const input = readInput(call, stopInput);
  const found = parts.services.task(call.scope, input.cluster, input.task);
  if (!found) return parts.upstream.forward(call);
  parts.runner.stop(found.service, found.task, input.reason ?? 'Task stopped by user', 'UserInitiated');
  return jsonAnswer({ task: taskView(found.service, found.task) });
}
