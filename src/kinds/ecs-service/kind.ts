import type { EcsService } from '../../aws/ecs-service.ts';
import type { ServiceSettings } from '../../aws/ecs-services.ts';
import type { Ecs } from '../../aws/ecs.ts';
import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { Residue } from '../../contracts/messages.ts';
import { StepError } from '../../contracts/step-error.ts';
import { lostTags, missingThing, nameTaken } from '../framework/differences.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import type { OthersJudged } from '../framework/ownership.ts';
import { fieldsOf } from '../framework/within.ts';
import { COUNT_TAG, countOf, formatCountNote, noteBefore, parseCountNote, type CountFacts } from './count.ts';
import { convergence, DEPLOYMENT_TAG, formatDeploymentMark, parseDeploymentMark } from './deployment.ts';
import { serviceDifferences } from './differences.ts';
import { serviceHealth } from './health.ts';
import { routeProbe } from './route.ts';
import {
  serviceOutputs,
  serviceSpec,
  type ServiceContext as Context,
  type ServiceOutputs,
  type ServiceSpec,
} from './spec.ts';
import { serviceType } from './type.ts';
import {
  deploymentProbe,
  endpointProbe,
  ownTargetsProbe,
  serviceVerdict,
  targetsProbe,
  type ProbeResult,
} from './verdict.ts';

const inactiveReason = 'ECS shows a deleted service as INACTIVE until it purges it, at a time that AWS does not tell';

/** A Fargate service behind the load balancer (requirement U-23), ready when three probes agree (U-09) and the third reached what the first two saw. */
export const ecsService: Kind<ServiceSpec, ServiceOutputs, 'ecs:service'> = {
  name: 'ecs-service',
  spec: serviceSpec,
  outputs: serviceOutputs,
  changeable: [
    'taskDefinitionArn',
    'targetGroupArn',
    'containerName',
    'containerPort',
    'desiredCount',
    'healthCheckGraceSeconds',
    'probe',
  ],
  health: serviceHealth,
  types: { 'ecs:service': serviceType },
  permissions: [
    'ecs:DescribeServices',
    'ecs:CreateService',
    'ecs:UpdateService',
    'ecs:DeleteService',
    'ecs:TagResource',
    'ecs:ListTasks',
    'ecs:DescribeTasks',
    'elasticloadbalancing:DescribeTargetHealth',
    'elasticloadbalancing:DescribeRules',
    'elasticloadbalancing:DescribeTags',
  ],
  inCell: ({ probe, serviceName }, within) => [
    ...within.tenantName(serviceName),
    ...within.loadBalancer(fieldsOf(probe)['loadBalancerArn']),
    ...within.host(fieldsOf(probe)['host']),
  ],
  physicalNames: ({ serviceName }) => [{ type: 'ecs:service', name: serviceName }],

  /** Requirement U-10: 20 minutes a component. A service drains before it is INACTIVE (aws-facts). */
  profiles: () => ({
    ready: { usualMs: 90_000, deadlineMs: 20 * 60_000 },
    gone: { usualMs: 60_000, deadlineMs: 15 * 60_000 },
  }),

  resources: ({ spec }) => [{ type: 'ecs:service', name: spec.serviceName }],

  fingerprint: ({ cell }) => Promise.resolve(JSON.stringify([cell.subnetIds, cell.securityGroupIds])),

  async ensure(context) {
    const { aws, spec } = context;
    const found = await aws.ecs.findService(spec.serviceName);
    const isAnew = !found || found.status === 'INACTIVE';
    const { arn, name } = isAnew ? await create(context) : await adopt(context, found);
    return {
      status: 'pending',
      outputs: { arn, name },
      physicalIds: { [spec.serviceName]: arn },
      // One that is made anew under the name has the ARN of the one before.
      ...(isAnew && { anew: [{ type: 'ecs:service', name: spec.serviceName }] }),
      detail: `waiting for the deployment of ${name}`,
    };
  },

  async observe(context) {
    return context.removingAt === undefined ? await observeReady(context) : await observeGone(context);
  },

  async differs(context) {
    const { previous, spec, tags } = context;
    const found = await ecsOf(context).findService(spec.serviceName);
    if (!found || found.status === 'INACTIVE') return [missingThing('ecs:service', spec.serviceName)];
    const lost = lostTags(tags, found.tags);
    if (ownOf(context, found)) return [...lost, ...serviceDifferences(context, found)];
    // A service made anew under the name has the same ARN: only its time tells it apart, and nobody wrote that down.
    return found.arn === previous.arn ? lost : [nameTaken('ecs:service', found.name, found.tags)];
  },

  deletesByName: true,
  residues: [{ type: 'ecs:service', reason: inactiveReason, days: null }],

  async remove(context) {
    const { spec, previous } = context;
    const ecs = ecsOf(context);
    const seen = await ecs.findService(spec.serviceName);
    // ECS shows a deleted service for a while: that of an earlier tenant of the name says nothing of ours.
    const any = seen?.status === 'INACTIVE' && !ownOf(context, seen) ? undefined : seen;
    const others = await othersIn(context, any);
    // Right after we made it a look may not show it yet; what is not there cannot be somebody else's either.
    const residues = [inactiveResidue(spec.serviceName)];
    if (!any && previous.arn !== undefined && (await ecs.deleteService(spec.serviceName)))
      return { status: 'pending', others, residues };
    const found = ownOf(context, any);
    if (!found) return { status: 'removed', others, ...(!any && { missing: true }) };
    if (found.status === 'INACTIVE') return { status: 'removed', others, residues };
    if (found.status === 'ACTIVE') await ecs.deleteService(spec.serviceName);
    return { status: 'pending', others, residues };
  },
};

/** "INACTIVE services may be cleaned up and purged [...] in the future" (ECS, DeleteService): no time is promised. */
function inactiveResidue(name: string): Residue {
  return { type: 'ecs:service', name, reason: inactiveReason, expiresAt: null };
}

async function create(context: Context): Promise<EcsService> {
  const { aws, generation, operation, spec, tags, token } = context;
  return await aws.ecs.createService({
    name: spec.serviceName,
    ...settingsOf(context),
    tags: { ...tags, [DEPLOYMENT_TAG]: formatDeploymentMark({ operationId: operation.id, generation }) },
    token: token(),
  });
}

function settingsOf({ cell, spec }: Context): ServiceSettings {
  return {
    taskDefinitionArn: spec.taskDefinitionArn,
    desiredCount: spec.desiredCount,
    subnetIds: cell.subnetIds,
    securityGroupIds: cell.securityGroupIds,
    targetGroupArn: spec.targetGroupArn,
    containerName: spec.containerName,
    containerPort: spec.containerPort,
    healthCheckGraceSeconds: spec.healthCheckGraceSeconds,
  };
}

async function adopt(context: Context, found: EcsService): Promise<EcsService> {
  const { aws, generation, operation, tags } = context;
  if (!isOwnedBy(found.tags, ownerOf(tags))) {
    throw await refusalOf(context, {
      resource: { type: 'ecs:service', name: found.name },
      message: `ECS service "${found.name}" is somebody else's`,
      detail: `${found.arn}: ${describeHolder(found.tags)}`,
      owner: findOwner(found.tags),
    });
  }
  if (found.status === 'DRAINING') {
    throw new StepError('CONFLICT_RETRYABLE', `an earlier ECS service "${found.name}" of this tenant still drains`);
  }
  const count = await countFacts(context, found);
  const note = noteBefore(count);
  // Before the count itself: an answer may be lost in between.
  if (note) await aws.ecs.tagService(found.arn, { [COUNT_TAG]: formatCountNote(note) });
  const settings = { ...settingsOf(context), desiredCount: countOf(count) };
  // An undo asks for what runs, not for another deployment of it.
  const asked = { operationId: operation.id, generation: context.goesBack ? 1 : generation };
  const { change } = convergence(found, { ...settings, ...asked }, new Date());
  if (change === 'none') return found;
  if (change === 'mark') return await mark(context, found);
  if (change === 'scale') return await aws.ecs.scaleService(found.name, settings);
  return await mark(context, await aws.ecs.deployService(found.name, settings));
}

async function countFacts({ goesBack, operation, otherSpec, spec }: Context, found: EcsService): Promise<CountFacts> {
  const other = await otherSpec?.();
  return {
    found: found.desiredCount,
    wanted: spec.desiredCount,
    other: other?.desiredCount,
    note: parseCountNote(found.tags[COUNT_TAG]),
    operationId: operation.id,
    goesBack: goesBack === true,
  };
}

/** Notes on the service which generation its PRIMARY deployment belongs to. */
async function mark({ aws, generation, operation }: Context, service: EcsService): Promise<EcsService> {
  const primary = service.deployments.find((d) => d.isPrimary);
  const made = { operationId: operation.id, generation, deploymentId: primary?.id, at: primary?.createdAt };
  await aws.ecs.tagService(service.arn, { [DEPLOYMENT_TAG]: formatDeploymentMark(made) });
  return service;
}

async function observeReady(context: Context): Promise<Observation> {
  const { aws, spec } = context;
  const { service, others } = await findOwn(context);
  // An INACTIVE one is an earlier one of the name, or was deleted: whether the look is to be believed the wrapper decides.
  if (!service || service.status === 'INACTIVE') {
    return { status: 'absent', detail: `no ECS service ${spec.serviceName} of this tenant`, others };
  }
  if (service.status !== 'ACTIVE') {
    return { status: 'failed', detail: `ECS service ${service.name} is ${service.status}` };
  }
  const deployment = await probeDeployment(context, service);
  // One after the other: nothing is asked of the load balancer for a deployment that does not stand yet.
  if (deployment.status !== 'ok') return serviceVerdict({ deployment });
  if (service.desiredCount === 0)
    return { status: 'ready', detail: `deployment: ${deployment.detail}; nothing is to answer` };
  const targets = await probeTargets(context);
  if (targets.status !== 'ok') return serviceVerdict({ deployment, targets });
  const route = await routeProbe(context);
  if (route.status !== 'ok') return serviceVerdict({ deployment, targets, route });
  const { host, path } = spec.probe;
  if (route.isBehindNotice) {
    const endpoint = { status: 'ok', detail: `https://${host}${path} was not asked, the notice answers it` } as const;
    return serviceVerdict({ deployment, targets, route, endpoint });
  }
  const endpoint = endpointProbe(await aws.probe.ask(spec.probe), `https://${host}${path}`);
  return serviceVerdict({ deployment, targets, route, endpoint });
}

async function probeTargets({ aws, spec }: Context): Promise<ProbeResult> {
  const health = await aws.loadBalancing.findTargetHealth(spec.targetGroupArn);
  const seen = targetsProbe(health);
  if (!health || seen.status !== 'ok') return seen;
  const { serviceName, taskDefinitionArn } = spec;
  const own = ownTargetsProbe(health, { running: await aws.ecs.findRunningTasks(serviceName), taskDefinitionArn });
  return own.status === 'ok' ? seen : own;
}

async function probeDeployment(context: Context, service: EcsService) {
  const { aws, spec } = context;
  const primary = service.deployments.find((d) => d.isPrimary);
  const desiredCount = countOf(await countFacts(context, service));
  // After the circuit breaker's return the old tasks run again: why the new ones stopped is asked for all the same.
  const settled =
    primary?.rolloutState === 'COMPLETED' &&
    primary.taskDefinitionArn === spec.taskDefinitionArn &&
    service.runningCount >= desiredCount;
  const stopped = settled ? [] : await aws.ecs.findStoppedTasks(service.name);
  const wanted = {
    taskDefinitionArn: spec.taskDefinitionArn,
    desiredCount,
    updatedAt: parseDeploymentMark(service.tags[DEPLOYMENT_TAG])?.at,
  };
  return deploymentProbe(service, stopped, wanted, new Date());
}

async function observeGone(context: Context): Promise<Observation> {
  const { spec } = context;
  const { service, others } = await findOwn(context);
  if (!service || service.status === 'INACTIVE') {
    return { status: 'absent', detail: `no ECS service ${spec.serviceName} of this tenant`, others };
  }
  const detail = `ECS service ${service.name} is ${service.status}, ${service.runningCount} tasks run`;
  return { status: service.status === 'DRAINING' ? 'pending' : 'ready', detail };
}

async function findOwn(context: Context): Promise<{ service: EcsService | undefined; others: OthersJudged }> {
  const found = await ecsOf(context).findService(context.spec.serviceName);
  return { service: ownOf(context, found), others: await othersIn(context, found) };
}

/** A service that was made lies in the cluster that its ARN names (`service/<cluster>/<name>`), which may be the cell's no more. */
function ecsOf({ aws, cell, previous }: Context): Ecs {
  const cluster = /:service\/([^/]+)\/[^/]+$/.exec(previous.arn ?? '')?.[1];
  return cluster === undefined || cluster === cell.cluster ? aws.ecs : aws.ecs.inCluster(cluster);
}

/** What is INACTIVE is gone, whoever's it was. */
function othersIn(context: Context, found: EcsService | undefined): Promise<OthersJudged> {
  if (!found || found.status === 'INACTIVE' || ownOf(context, found)) return context.notOurs([]);
  const { arn: physicalId, createdAt, name } = found;
  return context.notOurs([{ type: 'ecs:service', name, physicalId, createdAt, mark: describeHolder(found.tags) }]);
}

function ownOf({ tags }: Context, found: EcsService | undefined): EcsService | undefined {
  return found && isOwnedBy(found.tags, ownerOf(tags)) ? found : undefined;
}
