import type { TargetHealth } from '../elb/target-health.ts';
import type { LaunchGate } from '../limits/limits.ts';
import type { Clock } from '../time.ts';
import { addEvent, circuitBreakerThreshold, finish, finishOpen, newDeployment } from './deployments.ts';
import { liveTasks, primaryOf, type Deployment, type Service, type Task, type TaskDefinition } from './model.ts';
import type { TaskRunner } from './task-runner.ts';

export interface SchedulerParts {
  readonly clock: Clock;
  readonly targets: TargetHealth;
  readonly runner: TaskRunner;
  /** Rate of launches; as many as wanted when absent. */
  readonly launches?: LaunchGate | undefined;
}

const keptStoppedTasks = 50;
const keptDeployments = 100;

/** ECS's service scheduler: rolls deployments, replaces tasks, breaks the circuit, drains deleted services. */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #due = new Set<Service>();
  /** Launches that have their turn at a later moment, by service. */
  readonly #turns = new WeakMap<Service, number>();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Looks at the service once more, soon. Many calls are one look. */
  wake(service: Service, delayMs = 0): void {
    if (delayMs > 0) {
      this.#parts.clock.after(delayMs, () => this.wake(service));
      return;
    }
    if (this.#due.has(service)) return;
    this.#due.add(service);
    this.#parts.clock.after(0, () => {
      this.#due.delete(service);
      this.#reconcile(service);
    });
  }

  /** Makes a deployment the service's PRIMARY. */
  deploy(service: Service, taskDefinition: TaskDefinition): void {
    for (const deployment of service.deployments) {
      if (deployment.status === 'PRIMARY') deployment.status = 'ACTIVE';
    }
    finishOpen(service, 'STOPPED');
    const deployment = newDeployment(taskDefinition, service);
    service.history = [deployment, ...service.history].slice(0, keptDeployments);
    service.deployments = [deployment, ...service.deployments.filter((d) => d.status !== 'INACTIVE')];
    this.wake(service);
  }

  /** Begins the end of a deleted service. */
  drain(service: Service): void {
    service.status = 'DRAINING';
    service.desiredCount = 0;
    for (const deployment of service.deployments) deployment.desiredCount = 0;
    finishOpen(service, 'STOPPED');
    this.wake(service);
  }

  /** A task failed by itself: counts for the circuit breaker while its deployment is in progress. */
  taskFailed(service: Service, task: Task): void {
    const deployment = service.deployments.find((d) => d.id === task.deploymentId);
    if (!deployment) return;
    const retryMs = this.#parts.clock.settings.taskRetryMs;
    deployment.nextLaunchAtMs = Date.now() + retryMs;
    if (deployment.rolloutState === 'IN_PROGRESS') deployment.failedTasks += 1;
    deployment.updatedAtMs = Date.now();
    this.wake(service);
    this.wake(service, retryMs + 1);
  }

  #reconcile(service: Service): void {
    if (service.status === 'INACTIVE') return;
    if (service.status === 'DRAINING') {
      this.#finishDraining(service);
      return;
    }
    this.#failUnhealthy(service);
    this.#breakCircuit(service);
    this.#launch(service);
    this.#retire(service);
    this.#forget(service);
    this.#complete(service);
  }

  #finishDraining(service: Service): void {
    for (const task of liveTasks(service)) {
      this.#parts.runner.stop(
        service,
        task,
        `Scaling activity initiated by (deployment ${task.deploymentId})`,
        'ServiceSchedulerInitiated',
      );
    }
    if (liveTasks(service).length > 0) return;
    this.#parts.clock.after(this.#parts.clock.settings.serviceDrainMs, () => {
      service.status = 'INACTIVE';
      service.deployments = [];
    });
  }

  #failUnhealthy(service: Service): void {
    const graceMs = service.gracePeriodSeconds * 1000 * this.#parts.clock.settings.gracePeriodScale;
    for (const task of liveTasks(service)) {
      const bad = task.lastStatus === 'RUNNING' ? this.#unhealthyGroup(task) : undefined;
      if (bad === undefined) continue;
      const leftMs = (task.startedAtMs ?? 0) + graceMs - Date.now();
      if (leftMs > 0) this.wake(service, leftMs + 1);
      else {
        const reason = `Task failed ELB health checks in (target-group ${bad})`;
        addEvent(
          service,
          `(service ${service.name}) (port ${task.loadBalancers[0]?.containerPort ?? 0}) is unhealthy in (target-group ${bad}).`,
        );
        this.#parts.runner.fail(service, task, reason, 'ServiceSchedulerInitiated');
      }
    }
  }

  #unhealthyGroup(task: Task): string | undefined {
    return task.loadBalancers.find(
      (lb) =>
        this.#parts.targets.stateOf(lb.targetGroupArn, { id: task.address.ip, port: lb.containerPort }) === 'unhealthy',
    )?.targetGroupArn;
  }

  #breakCircuit(service: Service): void {
    const primary = primaryOf(service);
    if (primary.rolloutState !== 'IN_PROGRESS' || !service.circuitBreaker.enable) return;
    if (primary.failedTasks < circuitBreakerThreshold(service.desiredCount)) return;
    primary.rolloutState = 'FAILED';
    primary.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
    primary.updatedAtMs = Date.now();
    addEvent(service, `(service ${service.name}) (deployment ${primary.id}) deployment failed: tasks failed to start.`);
    const previous = service.lastCompleted;
    if (service.circuitBreaker.rollback && previous) this.#rollBack(service, primary, previous);
    else finish(primary, 'STOPPED');
  }

  #rollBack(service: Service, failed: Deployment, previous: Deployment): void {
    failed.status = 'ACTIVE';
    failed.desiredCount = 0;
    failed.outcome = 'ROLLBACK_IN_PROGRESS';
    previous.status = 'PRIMARY';
    previous.desiredCount = service.desiredCount;
    previous.rolloutState = 'IN_PROGRESS';
    previous.rolloutStateReason = `ECS deployment circuit breaker: rolling back to deployment ${previous.id}.`;
    previous.failedTasks = 0;
    previous.updatedAtMs = Date.now();
    // A deployment goes back with all that it was made with.
    service.loadBalancers = previous.loadBalancers;
    service.subnetIds = previous.subnetIds;
    service.deployments = [previous, ...service.deployments.filter((d) => d !== previous)];
    addEvent(service, `(service ${service.name}) rolling back to deployment ${previous.id}.`);
  }

  #launch(service: Service): void {
    const primary = primaryOf(service);
    if (primary.rolloutState === 'FAILED') return;
    const now = Date.now();
    if (now < primary.nextLaunchAtMs) {
      this.wake(service, primary.nextLaunchAtMs - now + 1);
      return;
    }
    const wanted = service.tasks.filter((t) => t.desiredStatus === 'RUNNING');
    const mine = wanted.filter((t) => t.deploymentId === primary.id).length;
    // Old and new together stay below the maximum; a service of one task may always have its second.
    const room =
      Math.max(Math.floor((service.desiredCount * service.maximumPercent) / 100), service.desiredCount) - wanted.length;
    const count = Math.min(service.desiredCount - mine, room);
    for (let i = 0; i < count; i++) {
      const waitMs = this.#launchWaitMs(service);
      if (waitMs > 0) {
        this.wake(service, waitMs + 1);
        return;
      }
      this.#parts.runner.launch(service, primary);
      addEvent(service, `(service ${service.name}) has started 1 tasks: (task ${service.tasks.at(-1)?.id ?? ''}).`);
    }
  }

  /** Fargate starts so many tasks a second: a launch above that waits for its turn, unseen from outside. */
  #launchWaitMs(service: Service): number {
    const turnAtMs = this.#turns.get(service);
    if (turnAtMs !== undefined && Date.now() < turnAtMs) return turnAtMs - Date.now();
    if (turnAtMs !== undefined) {
      this.#turns.delete(service);
      return 0;
    }
    const waitMs = this.#parts.launches?.take(service.scope) ?? 0;
    if (waitMs > 0) this.#turns.set(service, Date.now() + waitMs);
    return waitMs;
  }

  /** Stops tasks of older deployments, and surplus ones, as far as enough healthy ones stay. */
  #retire(service: Service): void {
    const primary = primaryOf(service);
    const wanted = service.tasks.filter((t) => t.desiredStatus === 'RUNNING');
    const mine = wanted.filter((t) => t.deploymentId === primary.id);
    const surplus = mine.slice(service.desiredCount);
    const old = wanted.filter((t) => t.deploymentId !== primary.id);
    const mustStay = Math.ceil((service.desiredCount * service.minimumHealthyPercent) / 100);
    let healthy = wanted.filter((t) => this.#isSteady(t)).length;
    for (const task of [...surplus, ...old]) {
      const steady = this.#isSteady(task);
      if (steady && healthy - 1 < mustStay && !surplus.includes(task)) continue;
      // A failed deployment without a way back keeps what older ones still run.
      if (primary.rolloutState === 'FAILED' && !surplus.includes(task)) continue;
      if (steady) healthy -= 1;
      this.#parts.runner.stop(
        service,
        task,
        `Scaling activity initiated by (deployment ${primary.id})`,
        'ServiceSchedulerInitiated',
      );
    }
  }

  /** Drops deployments and stopped tasks that nobody asks for any more. */
  #forget(service: Service): void {
    const inUse = new Set(liveTasks(service).map((t) => t.deploymentId));
    for (const deployment of service.deployments) {
      if (deployment.status === 'ACTIVE' && !inUse.has(deployment.id)) deployment.status = 'INACTIVE';
    }
    service.deployments = service.deployments.filter((d) => d.status !== 'INACTIVE' || d.rolloutState === 'FAILED');
    const stopped = service.tasks.filter((t) => t.lastStatus === 'STOPPED');
    const dropped = new Set(stopped.slice(0, Math.max(stopped.length - keptStoppedTasks, 0)));
    if (dropped.size > 0) service.tasks = service.tasks.filter((t) => !dropped.has(t));
  }

  #complete(service: Service): void {
    const primary = primaryOf(service);
    if (primary.rolloutState !== 'IN_PROGRESS') return;
    const live = liveTasks(service);
    const steady = live.filter((t) => t.deploymentId === primary.id && this.#isSteady(t)).length;
    if (steady < service.desiredCount || live.some((t) => t.deploymentId !== primary.id)) {
      this.#wakeWhenSteady(service, live);
      return;
    }
    primary.rolloutState = 'COMPLETED';
    primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`;
    primary.updatedAtMs = Date.now();
    // A failed deployment is in the list until the return from it is done; ListServiceDeployments knows of it longer.
    service.deployments = [primary];
    for (const d of service.history) if (d.outcome === 'ROLLBACK_IN_PROGRESS') finish(d, 'ROLLBACK_SUCCESSFUL');
    if (primary.outcome === 'IN_PROGRESS') finish(primary, 'SUCCESSFUL');
    service.lastCompleted = primary;
    addEvent(service, `(service ${service.name}) (deployment ${primary.id}) deployment completed.`);
    addEvent(service, `(service ${service.name}) has reached a steady state.`);
  }

  #wakeWhenSteady(service: Service, live: readonly Task[]): void {
    if (service.loadBalancers.length > 0) return;
    const young = live.filter((t) => t.lastStatus === 'RUNNING' && !this.#isSteady(t));
    if (young.length > 0) this.wake(service, this.#parts.clock.settings.targetHealthMs);
  }

  /** Healthy in all its target groups; without any, up for as long as one health check takes. */
  #isSteady(task: Task): boolean {
    if (task.lastStatus !== 'RUNNING' || task.desiredStatus !== 'RUNNING' || task.startedAtMs === undefined)
      return false;
    if (task.loadBalancers.length === 0)
      return Date.now() - task.startedAtMs >= this.#parts.clock.settings.targetHealthMs;
    return task.loadBalancers.every(
      (lb) =>
        this.#parts.targets.stateOf(lb.targetGroupArn, { id: task.address.ip, port: lb.containerPort }) === 'healthy',
    );
  }
}
