import { ListTagsForResourceCommand, UntagResourceCommand } from '@aws-sdk/client-ecs';
import { z } from 'zod';
import { AwsError, jsonAnswer } from '../answer.ts';
import type { Routes } from '../elb/routes.ts';
import type { Exclusion } from '../exclusion.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { Handler } from '../pipeline.ts';
import { scopeKey, withJson, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { primaryOf, type Service } from './model.ts';
import type { Scheduler } from './scheduler.ts';
import {
  controllerOf,
  requireAttached,
  requireCluster,
  requireContainers,
  requireRolling,
  requireServiceRoom,
  requireVolumes,
} from './service-checks.ts';
import {
  applySettings,
  fingerprintOf,
  readCreateService,
  readDeleteService,
  readInput,
  readJson,
  readUpdateService,
  type CreateServiceInput,
} from './service-input.ts';
import { lastPart, type ServiceStore } from './service-store.ts';
import { loadTaskDefinition } from './task-definition.ts';
import { serviceView } from './view.ts';

export interface ServiceParts {
  readonly upstream: Upstream;
  readonly routes: Routes;
  readonly exclusion: Exclusion;
  readonly services: ServiceStore;
  readonly scheduler: Scheduler;
  /** Account quotas; none when absent. */
  readonly quotas?: Quotas | undefined;
}

const serviceAnswer = z.looseObject({ service: z.looseObject({ serviceArn: z.string(), clusterArn: z.string() }) });
const servicesAnswer = z.looseObject({
  services: z.array(z.looseObject({ serviceArn: z.string(), clusterArn: z.string() })),
});
const storedServices = z.looseObject({
  services: z.array(z.looseObject({ serviceArn: z.string(), clusterArn: z.string(), status: z.string() })),
});
/** Services that one DescribeServices call may name (ECS API reference). */
const maxDescribed = 10;
const tagsInput = z.looseObject({ tags: z.array(z.unknown()).default([]) });
const describeInput = z.looseObject({ services: z.array(z.string()).default([]) });
const describeServicesTarget = 'AmazonEC2ContainerServiceV20141113.DescribeServices';
const listAnswer = z.looseObject({ serviceArns: z.array(z.string()), nextToken: z.string().optional() });

/** Services: stored upstream with no tasks desired, lived here. Changes of one service take turns. */
export function createServiceHandlers(parts: ServiceParts): Record<string, Handler> {
  const inTurn = (call: Call, cluster: string, name: string, action: () => Promise<Answer>) =>
    parts.exclusion.run(`ecs/${scopeKey(call.scope)}/${lastPart(cluster)}/${lastPart(name)}`, action);
  return {
    CreateService: (call) => {
      // Its task sets are not lived here: it stays as upstream has it.
      if (controllerOf(readInput(call, z.looseObject({}))) === 'EXTERNAL') return forwardCreation(parts, call);
      const input = readCreateService(call);
      const create = () => inTurn(call, input.cluster, input.serviceName, () => createService(parts, call, input));
      // A count that must not be passed is a matter of the whole cluster.
      if (!parts.quotas?.isOn) return create();
      return parts.exclusion.run(`ecs-services/${scopeKey(call.scope)}/${lastPart(input.cluster)}`, create);
    },
    UpdateService: (call) => {
      const input = readUpdateService(call);
      return inTurn(call, input.cluster, input.service, () => updateService(parts, call));
    },
    DeleteService: (call) => {
      const input = readDeleteService(call);
      return inTurn(call, input.cluster, input.service, () => deleteService(parts, call));
    },
    DescribeServices: (call) => describeServices(parts, call),
    ListServices: (call) => listServices(parts, call),
  };
}

async function createService(parts: ServiceParts, call: Call, input: CreateServiceInput): Promise<Answer> {
  const { upstream, services, scheduler } = parts;
  await requireCluster(parts, call, input.cluster);
  const creation = { clientToken: input.clientToken, fingerprint: fingerprintOf(input) };
  const existing = services.find(call.scope, input.cluster, input.serviceName);
  if (existing?.status === 'DRAINING') {
    throw new AwsError('InvalidParameterException', 'Unable to Start a service that is still Draining.');
  }
  if (existing?.status === 'ACTIVE') {
    const isRepeat = creation.clientToken !== undefined && creation.clientToken === existing.creation.clientToken;
    if (isRepeat && creation.fingerprint === existing.creation.fingerprint)
      return jsonAnswer({ service: serviceView(existing) });
    throw new AwsError('InvalidParameterException', 'Creation of service was not idempotent.');
  }
  await requireAttached(parts, call, input);
  await requireServiceRoom(parts, call, input);
  const taskDefinition = await loadTaskDefinition(upstream.clients(call.scope), input.taskDefinition);
  requireContainers(input.loadBalancers ?? [], taskDefinition);
  requireVolumes(input, taskDefinition);
  const answer = await forwardCreation(parts, withJson(call, { ...input, desiredCount: 0 }));
  if (answer.status >= 300) return answer;
  const { service: described } = serviceAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  const service = newService(call, input, described, creation);
  applySettings(service, input);
  services.put(service);
  scheduler.deploy(service, taskDefinition);
  return jsonAnswer({ service: serviceView(service) });
}

/** MiniStack gives a service without tags those of a deleted one of its name: they are taken off. */
async function forwardCreation({ upstream }: ServiceParts, call: Call): Promise<Answer> {
  const answer = await upstream.forward(call);
  const made = answer.status < 300 ? serviceAnswer.safeParse(JSON.parse(answer.body.toString('utf8'))).data : undefined;
  if (!made || readInput(call, tagsInput).tags.length > 0) return answer;
  const { ecs } = upstream.clients(call.scope);
  const resourceArn = made.service.serviceArn;
  const { tags = [] } = await ecs.send(new ListTagsForResourceCommand({ resourceArn }));
  const tagKeys = tags.flatMap(({ key }) => key ?? []);
  if (tagKeys.length > 0) await ecs.send(new UntagResourceCommand({ resourceArn, tagKeys }));
  return answer;
}

async function updateService(parts: ServiceParts, call: Call): Promise<Answer> {
  const { upstream, services, scheduler } = parts;
  const input = readUpdateService(call);
  await requireCluster(parts, call, input.cluster);
  const service = services.find(call.scope, input.cluster, input.service) ?? (await adopt(parts, call, input));
  if (!service) return upstream.forward(call);
  if (service.status !== 'ACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');
  requireRolling(service, input);
  await requireAttached(parts, call, input);
  parts.quotas?.require('tasks-per-service', input.desiredCount ?? 0);
  const current = primaryOf(service).taskDefinition;
  const wanted =
    input.taskDefinition === undefined
      ? current
      : await loadTaskDefinition(upstream.clients(call.scope), input.taskDefinition);
  requireContainers(input.loadBalancers ?? service.loadBalancers, wanted);
  const answer = await upstream.forward(withJson(call, { ...input, desiredCount: 0 }));
  if (answer.status >= 300) return answer;
  service.described = serviceAnswer.parse(JSON.parse(answer.body.toString('utf8'))).service;
  applySettings(service, input);
  primaryOf(service).desiredCount = service.desiredCount;
  const isReshaped = input.loadBalancers !== undefined || input.networkConfiguration !== undefined;
  if (wanted.arn !== current.arn || input.forceNewDeployment || isReshaped) scheduler.deploy(service, wanted);
  scheduler.wake(service);
  return jsonAnswer({ service: serviceView(service) });
}

/**
 * Takes over a service that lives upstream only: an earlier gateway owned it. It runs nothing until an update says how
 * many tasks it wants.
 */
async function adopt(
  { upstream, services, scheduler }: ServiceParts,
  call: Call,
  input: { readonly cluster: string; readonly service: string },
): Promise<Service | undefined> {
  const lookup = withJson(
    { ...call, action: 'DescribeServices', headers: { ...call.headers, 'x-amz-target': describeServicesTarget } },
    { cluster: input.cluster, services: [input.service] },
  );
  const answer = await upstream.forward(lookup);
  if (answer.status >= 300) return undefined;
  const found = storedServices.safeParse(JSON.parse(answer.body.toString('utf8')));
  const described = found.data?.services.find((s) => s.status === 'ACTIVE');
  if (!described) return undefined;
  const settings = readCreateService(withJson(call, { ...described, cluster: input.cluster }));
  const service = newService(call, settings, described, { clientToken: undefined, fingerprint: '' });
  applySettings(service, { ...settings, desiredCount: 0 });
  const taskDefinition = await loadTaskDefinition(upstream.clients(call.scope), settings.taskDefinition);
  services.put(service);
  scheduler.deploy(service, taskDefinition);
  return service;
}

async function deleteService(parts: ServiceParts, call: Call): Promise<Answer> {
  const { upstream, services, scheduler } = parts;
  const input = readDeleteService(call);
  await requireCluster(parts, call, input.cluster);
  const service = services.find(call.scope, input.cluster, input.service);
  if (!service) return upstream.forward(call);
  if (service.status === 'INACTIVE') throw new AwsError('ServiceNotFoundException', 'Service not found.');
  if (service.status === 'DRAINING') return jsonAnswer({ service: serviceView(service) });
  if (!input.force && service.desiredCount > 0) {
    throw new AwsError('InvalidParameterException', 'The service cannot be stopped while it is scaled above 0.');
  }
  const answer = await upstream.forward(withJson(call, { ...input, force: true }));
  if (answer.status >= 300) return answer;
  scheduler.drain(service);
  return jsonAnswer({ service: serviceView(service) });
}

async function describeServices({ upstream, services }: ServiceParts, call: Call): Promise<Answer> {
  const asked = readInput(call, describeInput).services;
  if (asked.length > maxDescribed)
    throw new AwsError('InvalidParameterException', `service names can have at most ${maxDescribed} items.`);
  const answer = await upstream.forward(call);
  if (answer.status >= 300) return answer;
  const body = servicesAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  const overlaid = body.services.map((described) => {
    const own = services.find(call.scope, described.clusterArn, described.serviceArn);
    return own ? serviceView(own, described) : withoutTaskDefinition(described);
  });
  return jsonAnswer({ ...body, services: overlaid });
}

/** A service that is not ECS's to deploy has task sets; MiniStack answers an empty name of a task definition. */
function withoutTaskDefinition<T extends Readonly<Record<string, unknown>>>(described: T) {
  if (controllerOf(described) === 'ECS') return described;
  const { taskDefinition: _taskDefinition, deployments: _deployments, ...rest } = described;
  return rest;
}

/** AWS lists services that drain, too; upstream knows only ACTIVE ones. They come on the last page. */
async function listServices({ upstream, services }: ServiceParts, call: Call): Promise<Answer> {
  const { cluster } = z.looseObject({ cluster: z.string().default('default') }).parse(readJson(call));
  const answer = await upstream.forward(call);
  if (answer.status >= 300) return answer;
  const body = listAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  const draining = services.inCluster(call.scope, cluster).filter((s) => s.status === 'DRAINING');
  const arns = new Set([...body.serviceArns, ...(body.nextToken === undefined ? draining.map((s) => s.arn) : [])]);
  return jsonAnswer({ ...body, serviceArns: [...arns] });
}

function newService(
  call: Call,
  input: CreateServiceInput,
  described: { readonly serviceArn: string; readonly clusterArn: string },
  creation: Service['creation'],
): Service {
  return {
    scope: call.scope,
    cluster: lastPart(input.cluster),
    clusterArn: described.clusterArn,
    name: input.serviceName,
    arn: described.serviceArn,
    creation,
    status: 'ACTIVE',
    desiredCount: 1,
    subnetIds: [],
    loadBalancers: [],
    gracePeriodSeconds: 0,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    circuitBreaker: { enable: false, rollback: false },
    deployments: [],
    history: [],
    lastCompleted: undefined,
    tasks: [],
    events: [],
    described: { ...described },
  };
}
