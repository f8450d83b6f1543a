import { randomInt, randomUUID } from 'node:crypto';
import type { Deployment, DeploymentOutcome, Service, TaskDefinition } from './model.ts';

const keptEvents = 100;

/** Failed tasks that break the circuit: half of the desired ones, at least 3 and at most 200 (ECS developer guide). */
export function circuitBreakerThreshold(desiredCount: number): number {
  return Math.min(Math.max(Math.ceil(desiredCount * 0.5), 3), 200);
}

/** Adds to the service's events, newest first. */
export function addEvent(service: Service, message: string): void {
  service.events.unshift({ id: randomUUID(), createdAtMs: Date.now(), message });
  service.events.length = Math.min(service.events.length, keptEvents);
}

/** Closes a deployment. */
export function finish(deployment: Deployment, outcome: DeploymentOutcome): void {
  deployment.outcome = outcome;
  deployment.finishedAtMs = Date.now();
}

/** Something newer takes the place of what was still going on. */
export function finishOpen(service: Service, outcome: DeploymentOutcome): void {
  for (const deployment of service.history) {
    if (deployment.outcome === 'IN_PROGRESS' || deployment.outcome === 'ROLLBACK_IN_PROGRESS')
      finish(deployment, outcome);
  }
}

/** A PRIMARY deployment in progress. */
export function newDeployment(taskDefinition: TaskDefinition, service: Service): Deployment {
  const { desiredCount, loadBalancers, subnetIds } = service;
  const digits = Array.from({ length: 19 }, (_, i) => randomInt(i === 0 ? 1 : 0, 10)).join('');
  const id = `ecs-svc/${digits}`;
  const now = Date.now();
  return {
    id,
    status: 'PRIMARY',
    taskDefinition,
    loadBalancers,
    subnetIds,
    desiredCount,
    failedTasks: 0,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    outcome: 'IN_PROGRESS',
    finishedAtMs: undefined,
    createdAtMs: now,
    updatedAtMs: now,
    nextLaunchAtMs: 0,
  };
}
