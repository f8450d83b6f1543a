import { z } from 'zod';
import { AwsError, jsonAnswer } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import type { Answer, Call } from '../request.ts';
import { circuitBreakerThreshold } from './deployments.ts';
import type { Deployment, Service } from './model.ts';
import { readInput } from './service-input.ts';
import type { ServiceStore } from './service-store.ts';

const listInput = z.looseObject({
  cluster: z.string().default('default'),
  service: z.string().min(1),
  status: z.array(z.string()).nullish(),
  createdAt: z.looseObject({ after: z.number().nullish(), before: z.number().nullish() }).nullish(),
  maxResults: z.int().min(1).max(100).default(100),
  nextToken: z.string().nullish(),
});

const describeInput = z.looseObject({ serviceDeploymentArns: z.array(z.string()).min(1).max(20) });

/** The deployments that a service had, those that DescribeServices has forgotten too. */
export function createDeploymentHandlers(services: ServiceStore): Record<string, Handler> {
  return {
    ListServiceDeployments: (call) => Promise.resolve(listDeployments(services, call)),
    DescribeServiceDeployments: (call) => Promise.resolve(describeDeployments(services, call)),
  };
}

function listDeployments(services: ServiceStore, call: Call): Answer {
  const input = readInput(call, listInput);
  const service = services.find(call.scope, input.cluster, input.service);
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
  const { after, before } = input.createdAt ?? {};
  const chosen = service.history
    .filter((d) => !input.status || input.status.length === 0 || input.status.includes(d.outcome))
    .filter((d) => d.createdAtMs > (after ?? 0) * 1000 && d.createdAtMs < (before ?? Number.POSITIVE_INFINITY) * 1000);
  const start = Number(input.nextToken ?? 0);
  const end = start + input.maxResults;
  return jsonAnswer({
    serviceDeployments: chosen.slice(start, end).map((d) => briefView(service, d)),
    ...(end < chosen.length && { nextToken: String(end) }),
  });
}

function describeDeployments(services: ServiceStore, call: Call): Answer {
  const { serviceDeploymentArns } = readInput(call, describeInput);
  const own = services
    .all()
    .filter((s) => s.scope.accountId === call.scope.accountId && s.scope.region === call.scope.region)
    .flatMap((service) => service.history.map((deployment) => ({ service, deployment })));
  const found = serviceDeploymentArns.map((arn) => ({
    arn,
    owner: own.find(({ service, deployment }) => arnOf(service, deployment, 'service-deployment') === arn),
  }));
  return jsonAnswer({
    serviceDeployments: found.flatMap(({ owner }) => (owner ? [fullView(owner.service, owner.deployment)] : [])),
    failures: found.filter(({ owner }) => !owner).map(({ arn }) => ({ arn, reason: 'MISSING' })),
  });
}

function briefView(service: Service, deployment: Deployment): Record<string, unknown> {
  const createdAt = deployment.createdAtMs / 1000;
  return {
    serviceDeploymentArn: arnOf(service, deployment, 'service-deployment'),
    serviceArn: service.arn,
    clusterArn: service.clusterArn,
    startedAt: createdAt,
    createdAt,
    finishedAt: deployment.finishedAtMs === undefined ? undefined : deployment.finishedAtMs / 1000,
    targetServiceRevisionArn: arnOf(service, deployment, 'service-revision'),
    status: deployment.outcome,
    statusReason: deployment.rolloutState === 'FAILED' ? deployment.rolloutStateReason : undefined,
  };
}

function fullView(service: Service, deployment: Deployment): Record<string, unknown> {
  const { targetServiceRevisionArn, ...brief } = briefView(service, deployment);
  const { enable, rollback } = service.circuitBreaker;
  const isTriggered = deployment.rolloutState === 'FAILED';
  return {
    ...brief,
    updatedAt: deployment.updatedAtMs / 1000,
    targetServiceRevision: { arn: targetServiceRevisionArn, requestedTaskCount: deployment.desiredCount },
    deploymentConfiguration: {
      maximumPercent: service.maximumPercent,
      minimumHealthyPercent: service.minimumHealthyPercent,
      deploymentCircuitBreaker: { enable, rollback },
    },
    deploymentCircuitBreaker: {
      status: !enable ? 'DISABLED' : isTriggered ? 'TRIGGERED' : 'MONITORING',
      failureCount: deployment.failedTasks,
      threshold: circuitBreakerThreshold(service.desiredCount),
    },
  };
}

/** `arn:aws:ecs:region:account:service-deployment/cluster/service/id` */
function arnOf(service: Service, deployment: Deployment, kind: 'service-deployment' | 'service-revision'): string {
  const base = service.clusterArn.replace(/:cluster\/.*$/, '');
  const id = deployment.id.slice(deployment.id.indexOf('/') + 1);
  return `${base}:${kind}/${service.cluster}/${service.name}/${id}`;
}
