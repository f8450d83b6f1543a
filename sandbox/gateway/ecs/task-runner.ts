import { randomBytes } from 'node:crypto';
import type { TargetHealth } from '../elb/target-health.ts';
import type { TaskHost } from '../task-host/task-host.ts';
import type { Clock } from '../time.ts';
import type { Upstream } from '../upstream.ts';
import type { Addresses } from './addresses.ts';
import type { Deployment, Service, StopCode, Task, TaskContainer } from './model.ts';
import { prepareContainers, TaskStartError, type Environments } from './start-checks.ts';
import { healthPathsOf, resolveImage } from './task-definition.ts';

export interface TaskRunnerParts {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly host: TaskHost;
  readonly addresses: Addresses;
  readonly targets: TargetHealth;
}

/** What the scheduler wants to know of a task. */
export interface TaskEvents {
  /** Some state changed. */
  readonly changed: (service: Service) => void;
  /** The task failed by itself and is being stopped. */
  readonly failed: (service: Service, task: Task) => void;
}

/** Leads tasks through their lives: launch, containers, target registration, draining, stop. */
export class TaskRunner {
  readonly #parts: TaskRunnerParts;
  readonly #events: TaskEvents;

  constructor(parts: TaskRunnerParts, events: TaskEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Launches one task of a deployment; it is in the service's list when this returns. */
  launch(service: Service, deployment: Deployment): void {
    const subnetId =
      deployment.subnetIds[service.tasks.length % Math.max(deployment.subnetIds.length, 1)] ?? 'subnet-unknown';
    const task = newTask(service, deployment, subnetId);
    service.tasks.push(task);
    this.#start(service, task).catch((error: unknown) => {
      const reason = error instanceof TaskStartError ? error.message : `InternalError: ${String(error)}`;
      this.fail(service, task, reason, 'TaskFailedToStart');
    });
  }

  /** Stops a task that failed, and says so. */
  fail(service: Service, task: Task, reason: string, stopCode: StopCode): void {
    if (task.desiredStatus === 'STOPPED') return;
    this.#events.failed(service, task);
    this.stop(service, task, reason, stopCode);
  }

  /** Stops a task: deregisters and drains its targets, then ends its containers. */
  stop(service: Service, task: Task, reason: string, stopCode: StopCode): void {
    if (task.desiredStatus === 'STOPPED') return;
    task.desiredStatus = 'STOPPED';
    task.stoppedReason = reason;
    task.stopCode = stopCode;
    task.stoppingAtMs = Date.now();
    void this.#end(service, task);
  }

  async #start(service: Service, task: Task): Promise<void> {
    const { upstream, clock, addresses } = this.#parts;
    const clients = upstream.clients(service.scope);
    task.address.ip = await addresses.take(clients, task.subnetId);
    await clock.sleep(clock.settings.taskStartMs);
    if (isStopping(task)) return;
    task.lastStatus = 'PENDING';
    const environments = await prepareContainers(clients, task.taskDefinition);
    if (isStopping(task)) return;
    await this.#runContainers(service, task, environments);
    if (isStopping(task)) return;
    task.lastStatus = 'RUNNING';
    task.startedAtMs = Date.now();
    await this.#register(service, task);
    this.#events.changed(service);
  }

  async #runContainers(service: Service, task: Task, environments: Environments): Promise<void> {
    const started = task.containers.map((container) => this.#runContainer(service, task, container, environments));
    await Promise.all(started);
  }

  /** Resolves when the container listens or has ended already. */
  #runContainer(service: Service, task: Task, container: TaskContainer, environments: Environments): Promise<void> {
    const image = resolveImage(container.image);
    if ('pullError' in image) throw new TaskStartError(image.pullError);
    const definition = task.taskDefinition.containers.find((c) => c.name === container.name);
    container.requested = true;
    return new Promise((resolve) => {
      this.#parts.host.start(
        {
          runId: container.runId,
          part: image.part,
          behavior: image.behavior,
          healthPaths: healthPathsOf(image.part),
          environment: environments.get(container.name) ?? {},
        },
        {
          started: (localPort) => {
            container.status = 'RUNNING';
            for (const port of definition?.tcpPorts ?? []) this.#parts.addresses.bind(task.address.ip, port, localPort);
            resolve();
          },
          exited: (exitCode, reason) => {
            container.status = 'STOPPED';
            container.exitCode = exitCode;
            // The local port is free for others from now on: nothing may be sent there in this task's name.
            for (const port of definition?.tcpPorts ?? []) this.#parts.addresses.unbind(task.address.ip, port);
            if (!isStopping(task)) container.reason = reason;
            resolve();
            if (definition?.essential ?? true) {
              this.fail(service, task, 'Essential container in task exited', 'EssentialContainerExited');
            }
            this.#events.changed(service);
          },
        },
      );
    });
  }

  async #register(service: Service, task: Task): Promise<void> {
    task.registered = true;
    for (const { targetGroupArn, containerPort } of task.loadBalancers) {
      await this.#parts.targets.register(service.scope, targetGroupArn, { id: task.address.ip, port: containerPort });
      if (isStopping(task)) await this.#deregister(service, task);
    }
  }

  async #deregister(service: Service, task: Task): Promise<void> {
    if (!task.registered) return;
    await Promise.all(
      task.loadBalancers.map(({ targetGroupArn, containerPort }) =>
        this.#parts.targets.deregister(service.scope, targetGroupArn, { id: task.address.ip, port: containerPort }),
      ),
    );
  }

  async #end(service: Service, task: Task): Promise<void> {
    const { clock, host, addresses } = this.#parts;
    if (task.lastStatus === 'RUNNING') task.lastStatus = 'DEACTIVATING';
    await this.#deregister(service, task);
    task.lastStatus = 'STOPPING';
    for (const container of task.containers) if (isOpen(container)) host.stop(container.runId);
    await clock.sleep(clock.settings.taskStopMs);
    await this.#untilEnded(task);
    task.lastStatus = 'STOPPED';
    task.stoppedAtMs = Date.now();
    addresses.release(task.address.ip);
    this.#events.changed(service);
  }

  async #untilEnded(task: Task): Promise<void> {
    const pollMs = 10;
    while (task.containers.some(isOpen)) await this.#parts.clock.sleep(pollMs);
    for (const container of task.containers) container.status = 'STOPPED';
  }
}

// A function, as TypeScript would otherwise take the status for unchanged across an await.
function isStopping(task: Task): boolean {
  return task.desiredStatus === 'STOPPED';
}

function isOpen(container: TaskContainer): boolean {
  return container.requested && container.status !== 'STOPPED';
}

function newTask(service: Service, deployment: Deployment, subnetId: string): Task {
  const id = randomBytes(16).toString('hex');
  return {
    id,
    arn: `${service.clusterArn.replace(':cluster/', ':task/')}/${id}`,
    deploymentId: deployment.id,
    taskDefinition: deployment.taskDefinition,
    loadBalancers: deployment.loadBalancers,
    address: { ip: '' },
    subnetId,
    networkInterfaceId: `eni-${randomBytes(9).toString('hex').slice(0, 17)}`,
    lastStatus: 'PROVISIONING',
    desiredStatus: 'RUNNING',
    containers: deployment.taskDefinition.containers.map((c) => ({
      name: c.name,
      image: c.image,
      runId: `${id}/${c.name}`,
      status: 'PENDING',
      requested: false,
      exitCode: undefined,
      reason: undefined,
    })),
    createdAtMs: Date.now(),
    startedAtMs: undefined,
    stoppingAtMs: undefined,
    stoppedAtMs: undefined,
    stoppedReason: undefined,
    stopCode: undefined,
    registered: false,
  };
}
