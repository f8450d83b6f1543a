import type { EcsDeployment, EcsService } from '../../aws/ecs-service.ts';
import type { RunningTask, StoppedTask } from '../../aws/ecs-tasks.ts';
import type { TargetHealth } from '../../aws/elbv2-target-groups.ts';
import type { ProbeAnswer } from '../../aws/probe.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Observation } from '../framework/kind.ts';
import { plainReason, troubleSince } from './reasons.ts';

/** Stopped tasks with the same reason that make a deployment a failure (requirement U-09). */
export const FAILED_TASKS_LIMIT = 3;
/** How long an answer of ECS may be older than our own update, in ms. */
const STALE_LOOK_MS = 15_000;

export interface ProbeResult {
  readonly status: 'ok' | 'pending' | 'failed';
  readonly detail: string;
}

/** The probes; one that was not looked at because an earlier one is not `ok` is undefined. */
export interface Probes {
  readonly deployment: ProbeResult;
  readonly targets?: ProbeResult | undefined;
  /** That the listener's rules lead to these targets. */
  readonly route?: ProbeResult | undefined;
  readonly endpoint?: ProbeResult | undefined;
}

/**
 * One verdict of the three probes of requirement U-09 and of the proof that the third reaches what the first two saw (design
 * rule 4). Only the deployment can fail for good; what is not ready and not failed is pending, and the detail tells which lacks.
 */
export function serviceVerdict({ deployment, targets, route, endpoint }: Probes): Observation {
  const named = [
    ['deployment', deployment],
    ['target health', targets],
    ['route', route],
    ['endpoint', endpoint],
  ] as const;
  const failed = named.find(([, probe]) => probe?.status === 'failed');
  if (failed) return { status: 'failed', detail: `${failed[0]}: ${failed[1]?.detail ?? ''}` };
  const lacking = named.find(([, probe]) => probe?.status !== 'ok');
  if (lacking) return { status: 'pending', detail: `${lacking[0]}: ${lacking[1]?.detail ?? 'not looked at yet'}` };
  return { status: 'ready', detail: named.map(([name, probe]) => `${name}: ${probe?.detail ?? ''}`).join('; ') };
}

export interface DeploymentWanted {
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  /** When our last update of the service was made; undefined when it is as it was created. */
  readonly updatedAt: Date | undefined;
}

/** ECS's own word: the PRIMARY deployment runs our task definition, is COMPLETED, and runs as many tasks as desired. */
export function deploymentProbe(
  service: EcsService,
  stopped: readonly StoppedTask[],
  wanted: DeploymentWanted,
  now: Date,
): ProbeResult {
  const primary = service.deployments.find((d) => d.isPrimary);
  if (!primary) return { status: 'pending', detail: 'no PRIMARY deployment yet' };
  if (primary.taskDefinitionArn !== wanted.taskDefinitionArn)
    return otherPrimary(service, { primary, stopped, wanted }, now);
  const trouble = troubleSince(service, primary.createdAt);
  if (primary.rolloutState === 'FAILED' || primary.rolloutState === 'STOPPED') {
    return {
      status: 'failed',
      detail: `${primary.id} ${primary.rolloutState}: ${reasonOf(primary)}${withTasks(stopped, primary)}${trouble}`,
    };
  }
  const repeated = repeatedStops(stopped, primary);
  if (repeated) return { status: 'failed', detail: `${repeated}${trouble}` };
  const counts = `${service.runningCount} of ${wanted.desiredCount} tasks run`;
  if (primary.rolloutState !== 'COMPLETED')
    return { status: 'pending', detail: `${primary.id} IN_PROGRESS, ${counts}${trouble}` };
  if (service.desiredCount !== wanted.desiredCount || service.runningCount !== wanted.desiredCount) {
    return { status: 'pending', detail: `${primary.id} COMPLETED, ${counts}${trouble}` };
  }
  return { status: 'ok', detail: `${primary.id} COMPLETED, ${counts}` };
}

/** The PRIMARY deployment runs another task definition: a circuit breaker's return, or an answer older than our update. */
function otherPrimary(
  service: EcsService,
  {
    primary,
    stopped,
    wanted: { taskDefinitionArn, updatedAt },
  }: {
    readonly primary: EcsDeployment;
    readonly stopped: readonly StoppedTask[];
    readonly wanted: DeploymentWanted;
  },
  now: Date,
): ProbeResult {
  const ours = service.deployments.find((d) => d.taskDefinitionArn === taskDefinitionArn);
  const runs = `PRIMARY ${primary.id} runs ${primary.taskDefinitionArn}, not ${taskDefinitionArn}`;
  if (ours?.rolloutState === 'FAILED') {
    const why = `${reasonOf(ours)}${withTasks(stopped, ours)}${troubleSince(service, ours.createdAt)}`;
    return { status: 'failed', detail: `${ours.id} FAILED: ${why}; ${runs}` };
  }
  const mayBeStale = updatedAt !== undefined && now.getTime() - updatedAt.getTime() < STALE_LOOK_MS;
  if (mayBeStale && !/roll(ing|ed)? ?back/i.test(primary.rolloutStateReason ?? '')) {
    return { status: 'pending', detail: `${runs} (yet)` };
  }
  // ECS has forgotten the deployment that failed: its tasks began before the one that took its place.
  const began = ours?.createdAt ?? updatedAt ?? service.createdAt;
  const tasks = withTasks(stopped, { taskDefinitionArn, createdAt: began });
  return { status: 'failed', detail: `rolled back: ${runs}: ${reasonOf(primary)}${tasks}` };
}

/** Says which reason stopped at least three tasks since the deployment began; undefined when none did. */
export function repeatedStops(stopped: readonly StoppedTask[], deployment: EcsDeployment): string | undefined {
  const byReason = new Map<string, StoppedTask[]>();
  for (const task of failuresOf(stopped, deployment)) {
    const reason = plainReason(task.reason);
    byReason.set(reason, [...(byReason.get(reason) ?? []), task]);
  }
  const worst = [...byReason].find(([, tasks]) => tasks.length >= FAILED_TASKS_LIMIT);
  return worst && `${worst[1].length} tasks of ${deployment.id} stopped: ${worst[1].at(0)?.reason ?? worst[0]}`;
}

/** Stopped tasks of the deployment that nobody stopped on purpose. */
function failuresOf(stopped: readonly StoppedTask[], deployment: Began): StoppedTask[] {
  return stopped.filter(
    (task) =>
      task.taskDefinitionArn === deployment.taskDefinitionArn &&
      task.createdAt !== undefined &&
      task.createdAt >= deployment.createdAt &&
      task.stopCode !== 'UserInitiated' &&
      // Scaling in, and the old deployment's tasks making way, are the scheduler's own doing.
      !/^scaling activity initiated/i.test(task.reason),
  );
}

type Began = Pick<EcsDeployment, 'taskDefinitionArn' | 'createdAt'>;

function withTasks(stopped: readonly StoppedTask[], deployment: Began): string {
  const reasons = new Map(failuresOf(stopped, deployment).map((task) => [plainReason(task.reason), task.reason]));
  return reasons.size === 0 ? '' : ` (stopped tasks: ${[...reasons.values()].slice(0, 3).join(' | ')})`;
}

function reasonOf(deployment: EcsDeployment): string {
  return deployment.rolloutStateReason ?? 'ECS gives no reason';
}

/** Whose the healthy targets are to be: tasks of the service that run this task definition. */
export interface TasksWanted {
  readonly running: readonly RunningTask[];
  readonly taskDefinitionArn: string;
}

/** Every healthy target is one of the deployment's own tasks: an old task's answer, or a stranger's, proves nothing. */
export function ownTargetsProbe(
  health: readonly TargetHealth[],
  { running, taskDefinitionArn }: TasksWanted,
): ProbeResult {
  const own = new Set(
    running.filter((task) => task.taskDefinitionArn === taskDefinitionArn).flatMap((task) => task.addresses),
  );
  const healthy = health.filter((target) => target.state === 'healthy').map(({ target }) => target);
  const strange = healthy.filter((target) => !own.has(target.slice(0, target.lastIndexOf(':'))));
  if (strange.length === 0) return { status: 'ok', detail: `${healthy.length} healthy` };
  const some = strange.slice(0, 3).join(', ');
  return { status: 'pending', detail: `${some} healthy, but no task of the service that runs ${taskDefinitionArn}` };
}

/** The load balancer's word: at least one target healthy and none unhealthy. Leaving targets do not count. */
export function targetsProbe(health: readonly TargetHealth[] | undefined): ProbeResult {
  if (!health) return { status: 'pending', detail: 'the target group is not there' };
  const count = (state: string) => health.filter((target) => target.state === state).length;
  const unhealthy = health.filter((target) => target.state === 'unhealthy');
  const seen = `${count('healthy')} healthy, ${unhealthy.length} unhealthy, ${count('initial')} initial`;
  if (unhealthy.length > 0) {
    const reasons = unhealthy.map((target) => `${target.target} ${target.reason}`).slice(0, 3);
    return { status: 'pending', detail: `${seen}: ${reasons.join(' | ')}` };
  }
  return { status: count('healthy') > 0 ? 'ok' : 'pending', detail: seen };
}

/**
 * The tenant's word: an HTTPS request to its host gives 2xx or 3xx.
 * @throws StepError CERTIFICATE_INVALID: no waiting changes what the listener was given
 */
export function endpointProbe(answer: ProbeAnswer, url: string): ProbeResult {
  if ('error' in answer && answer.isCertificateInvalid)
    throw new StepError('CERTIFICATE_INVALID', `the load balancer's certificate is not valid for ${url}`, {
      detail: answer.error,
    });
  if ('error' in answer) return { status: 'pending', detail: `GET ${url}: ${answer.error}` };
  const ok = answer.status >= 200 && answer.status <= 399;
  return { status: ok ? 'ok' : 'pending', detail: `GET ${url}: ${answer.status}` };
}
