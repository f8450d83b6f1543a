import { describe, expect, it } from 'vitest';
import {
  deploymentProbe,
  endpointProbe,
  ownTargetsProbe,
  repeatedStops,
  serviceVerdict,
  targetsProbe,
} from '../../../../src/kinds/ecs-service/verdict.ts';
import type { EcsDeployment, EcsService } from '../../../../src/aws/ecs-service.ts';
import type { StoppedTask } from '../../../../src/aws/ecs-tasks.ts';

const ours = 'arn:aws:ecs:us-east-1:000000000000:task-definition/acme:2';
const old = 'arn:aws:ecs:us-east-1:000000000000:task-definition/acme:1';
const began = new Date('2026-01-01T10:00:00Z');
const now = new Date('2026-01-01T10:05:00Z');
const wanted = { taskDefinitionArn: ours, desiredCount: 2, updatedAt: undefined };

function deployment(changes: Partial<EcsDeployment> = {}): EcsDeployment {
  return {
    id: 'ecs-svc/1',
    isPrimary: true,
    rolloutState: 'COMPLETED',
    rolloutStateReason: undefined,
    taskDefinitionArn: ours,
    desiredCount: 2,
    runningCount: 2,
    failedTasks: 0,
    createdAt: began,
    ...changes,
  };
}

function service(deployments: readonly EcsDeployment[], changes: Partial<EcsService> = {}): EcsService {
  return {
    arn: 'arn:service',
    name: 'acme',
    status: 'ACTIVE',
    taskDefinitionArn: ours,
    desiredCount: 2,
    runningCount: 2,
    pendingCount: 0,
    deployments,
    deploymentController: 'ECS',
    targets: [],
    network: undefined,
    healthCheckGraceSeconds: undefined,
    events: [],
    createdAt: began,
    tags: {},
    ...changes,
  };
}

function stopped(reason: string, changes: Partial<StoppedTask> = {}): StoppedTask {
  const createdAt = new Date('2026-01-01T10:01:00Z');
  return { arn: 'arn:task', taskDefinitionArn: ours, createdAt, stopCode: 'TaskFailedToStart', reason, ...changes };
}

describe('deployment probe', () => {
  const probe = (
    s: EcsService,
    tasks: readonly StoppedTask[] = [],
    w: Parameters<typeof deploymentProbe>[2] = wanted,
  ) => deploymentProbe(s, tasks, w, now);

  it('is ok when PRIMARY runs our task definition, is COMPLETED, and running equals desired', () => {
    expect(probe(service([deployment()]))).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['IN_PROGRESS', service([deployment({ rolloutState: 'IN_PROGRESS' })])],
    ['COMPLETED with too few running', service([deployment()], { runningCount: 1 })],
    ['COMPLETED with too many running', service([deployment()], { runningCount: 3 })],
    ['COMPLETED with another desired count', service([deployment()], { desiredCount: 3, runningCount: 3 })],
    ['no PRIMARY yet', service([])],
  ])('is pending: %s', (_, s) => {
    expect(probe(s)).toMatchObject({ status: 'pending' });
  });

  it('fails with the reason when ECS marked the deployment FAILED', () => {
    const failed = deployment({ rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start' });
    const seen = probe(service([failed]), [stopped('CannotPullContainerError')]);
    expect(seen.status).toBe('failed');
    expect(seen.detail).toContain('tasks failed to start');
    expect(seen.detail).toContain('CannotPullContainerError');
  });

  it("fails after a circuit breaker's return: the old one is PRIMARY and COMPLETED", () => {
    const returned = deployment({ id: 'ecs-svc/0', taskDefinitionArn: old });
    const forgotten = probe(service([returned], { taskDefinitionArn: old }), [stopped('CannotPullContainerError')]);
    expect(forgotten).toMatchObject({ status: 'failed', detail: expect.stringMatching(/CannotPull/) as string });
    const failed = deployment({ isPrimary: false, rolloutState: 'FAILED', rolloutStateReason: 'tasks failed' });
    const seen = probe(service([returned, failed]), [stopped('exit code 1')]);
    const told = expect.stringMatching(/tasks failed \(stopped tasks: exit code 1\)/) as string;
    expect(seen).toMatchObject({ status: 'failed', detail: told });
  });

  it('takes an answer that may be older than our own update for pending, but not one that tells of a return', () => {
    const before = deployment({ id: 'ecs-svc/0', taskDefinitionArn: old });
    const updatedAt = new Date(now.getTime() - 2_000);
    expect(probe(service([before]), [], { ...wanted, updatedAt })).toMatchObject({ status: 'pending' });
    const returning = { ...before, rolloutStateReason: 'ECS deployment circuit breaker: rolling back to ecs-svc/0.' };
    expect(probe(service([returning]), [], { ...wanted, updatedAt })).toMatchObject({ status: 'failed' });
    const longAgo = new Date(now.getTime() - 60_000);
    expect(probe(service([before]), [], { ...wanted, updatedAt: longAgo })).toMatchObject({ status: 'failed' });
  });

  it('fails when three tasks of the deployment stopped for the same reason, and names it', () => {
    const running = service([deployment({ rolloutState: 'IN_PROGRESS' })], { runningCount: 0 });
    const reason = 'Essential container in task exited; app: exit code 1';
    expect(probe(running, [stopped(reason), stopped(reason)])).toMatchObject({ status: 'pending' });
    const seen = probe(running, [stopped(reason), stopped(reason), stopped(reason)]);
    expect(seen).toMatchObject({ status: 'failed', detail: expect.stringContaining(reason) as string });
  });
});

describe("the service's own words", () => {
  const message =
    '(service acme) was unable to place a task because no container instance met all of its requirements.';
  const event = (text: string, at = now) => ({ at, message: text });
  const started = event('(service acme) has started 1 tasks: (task 3f2a9c0d).');
  const waiting = (...events: EcsService['events']) =>
    service([deployment({ rolloutState: 'IN_PROGRESS' })], { runningCount: 0, events });
  const detailOf = (s: EcsService) => deploymentProbe(s, [], wanted, now).detail;

  it('stand beside a count of tasks that is not reached', () => {
    expect(detailOf(waiting(started, event(message)))).toBe(
      `ecs-svc/1 IN_PROGRESS, 0 of 2 tasks run; ECS says: ${message}`,
    );
  });

  it('stand beside a failure that no stopped task explains', () => {
    const failed = service([deployment({ rolloutState: 'FAILED' })], { events: [event(message)] });
    expect(detailOf(failed)).toContain(message);
  });

  it('are left out where they are routine, or of an earlier deployment', () => {
    const steady = event('(service acme) has reached a steady state.');
    const earlier = event(message, new Date('2026-01-01T09:00:00Z'));
    expect(detailOf(waiting(started, steady, earlier))).toBe('ecs-svc/1 IN_PROGRESS, 0 of 2 tasks run');
  });

  it('are told once, the newest, when they differ by an id only', () => {
    const unhealthy = (id: string) => `(service acme) (task ${id.repeat(4)}) failed container health checks.`;
    const detail = detailOf(waiting(event(unhealthy('0b2c4d6e')), event(unhealthy('1a3b5c7d'))));
    expect(detail).toContain('0b2c4d6e');
    expect(detail).not.toContain('1a3b5c7d');
  });
});

describe('repeated stops', () => {
  const three = (changes: Partial<StoppedTask>, reason = 'x') => [1, 2, 3].map(() => stopped(reason, changes));

  it.each([
    ['different reasons', [stopped('a'), stopped('b'), stopped('c')]],
    ['tasks of an earlier deployment', three({ createdAt: new Date('2026-01-01T09:00:00Z') })],
    ['tasks of another task definition', three({ taskDefinitionArn: old })],
    ['tasks that somebody stopped', three({ stopCode: 'UserInitiated' })],
    ['scaling in', three({}, 'Scaling activity initiated by (deployment ecs-svc/1)')],
  ])('does not count %s', (_, tasks) => {
    expect(repeatedStops(tasks, deployment())).toBeUndefined();
  });

  it.each([
    ["a task's id", ['task 1a3b5c7d9e0f1a3b5c7d9e0f1a3b5c7d stopped', 'task 0b2c4d6e8f0a0b2c4d6e8f0a0b2c4d6e stopped']],
    ['a request id', ['request 6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', 'request 0e6f1f6b-6d5c-4b52-9a53-11c9f1d4a8d0']],
    ['an ARN', ['arn:aws:ecs:us-east-1:1:task/c/a failed', 'arn:aws:ecs:us-east-1:1:task/c/b failed']],
    ['an interface', ['eni-0a1b2c3d4e5f60718 is gone', 'eni-9f8e7d6c5b4a39281 is gone']],
    ['an address', ['dial tcp 10.0.0.1:8080: i/o timeout', 'dial tcp 10.0.12.7:8081: i/o timeout']],
    ['an IPv6 address', ['dial tcp [2001:db8::1]:443 refused', 'dial tcp [fe80::aa]:444 refused']],
    ['a time', ['at 2026-01-01T10:00:00.123Z no answer', 'at 2026-01-01T10:01:07Z no answer']],
    ['an hour', ['10:00:00 no answer', '11:12:13.5 no answer']],
    ['a duration', ['no answer after 3.2s', 'no answer after 15 seconds', 'no answer after 1m30s']],
    ['a number of tries', ['has been retried 1 time(s): EOF', 'has been retried 3 time(s): EOF']],
  ])('takes reasons that differ by %s only for the same', (_, reasons) => {
    const tasks = [...reasons, ...reasons].map((reason) => stopped(reason));
    expect(repeatedStops(tasks, deployment())).toContain(`${tasks.length} tasks`);
  });

  it('tells exit codes, statuses and names apart', () => {
    const reasons = ['exit code 1', 'exit code 137', 'status 500', 'status 503', 'no module app', 'no module web'];
    expect(
      repeatedStops(
        [...reasons, ...reasons].map((r) => stopped(r)),
        deployment(),
      ),
    ).toBeUndefined();
  });
});

describe('target-health probe', () => {
  const target = (state: string) => ({ target: '10.0.0.1:80', state, reason: 'Target.ResponseCodeMismatch' });

  it.each([
    ['one healthy', ['healthy'], 'ok'],
    ['one healthy, one that leaves', ['healthy', 'draining'], 'ok'],
    ['none', [], 'pending'],
    ['one being looked at', ['initial'], 'pending'],
    ['one healthy, one unhealthy', ['healthy', 'unhealthy'], 'pending'],
  ] as const)('%s', (_, states, status) => {
    expect(targetsProbe(states.map(target)).status).toBe(status);
  });

  it('says why a target is unhealthy, and that there is no target group', () => {
    expect(targetsProbe([target('unhealthy')]).detail).toContain('Target.ResponseCodeMismatch');
    expect(targetsProbe(undefined)).toMatchObject({ status: 'pending' });
  });
});

describe('endpoint probe', () => {
  it.each([
    [200, 'ok'],
    [302, 'ok'],
    [399, 'ok'],
    [199, 'pending'],
    [404, 'pending'],
    [503, 'pending'],
  ] as const)('%d is %s', (status, verdict) => {
    expect(endpointProbe({ status }, 'https://acme').status).toBe(verdict);
  });

  it('is pending, with the error, when there is no answer', () => {
    const seen = endpointProbe({ error: 'connect ECONNREFUSED' }, 'https://acme/');
    expect(seen).toEqual({ status: 'pending', detail: 'GET https://acme/: connect ECONNREFUSED' });
  });

  it('ends the wait when the certificate is not valid for the host', () => {
    const answer = { error: 'Hostname/IP does not match', isCertificateInvalid: true };
    expect(() => endpointProbe(answer, 'https://acme/')).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_INVALID', detail: 'Hostname/IP does not match' }),
    );
  });
});

describe('own targets', () => {
  const task = (address: string, taskDefinitionArn = ours) => ({
    arn: 'task',
    taskDefinitionArn,
    addresses: [address],
  });
  const target = (address: string, state = 'healthy') => ({ target: `${address}:80`, state, reason: '' });
  const probe = (targets: string[], running: ReturnType<typeof task>[]) =>
    ownTargetsProbe(
      targets.map((address) => target(address)),
      { running, taskDefinitionArn: ours },
    );

  it('are healthy targets at the addresses of running tasks', () => {
    expect(probe(['10.0.0.1'], [task('10.0.0.1'), task('10.0.0.2')]).status).toBe('ok');
  });

  it.each([
    ['a task of the old revision', [task('10.0.0.1', old)]],
    ['nobody', [task('10.0.0.2')]],
  ])('are none that belong to %s', (_, running) => {
    const seen = probe(['10.0.0.1', '10.0.0.2'], running);
    expect(seen).toMatchObject({ status: 'pending', detail: expect.stringMatching(/^10\.0\.0\.1:80/) as string });
  });

  it('do not count what leaves', () => {
    const health = [target('10.0.0.1'), target('10.0.0.9', 'draining')];
    expect(ownTargetsProbe(health, { running: [task('10.0.0.1')], taskDefinitionArn: ours }).status).toBe('ok');
  });
});

describe('verdict', () => {
  const ok = { status: 'ok', detail: 'fine' } as const;
  const pending = { status: 'pending', detail: 'not yet' } as const;
  const failed = { status: 'failed', detail: 'broken' } as const;

  it('is ready only when all three probes are ok, and the route to the third', () => {
    expect(serviceVerdict({ deployment: ok, targets: ok, route: ok, endpoint: ok }).status).toBe('ready');
    expect(serviceVerdict({ deployment: ok, targets: ok, endpoint: ok }).status).toBe('pending');
    expect(serviceVerdict({ deployment: ok, targets: ok, route: ok }).status).toBe('pending');
  });

  it('tells which probe lacks', () => {
    expect(serviceVerdict({ deployment: pending }).detail).toBe('deployment: not yet');
    expect(serviceVerdict({ deployment: ok, targets: pending }).detail).toBe('target health: not yet');
    expect(serviceVerdict({ deployment: ok, targets: ok, route: pending }).detail).toBe('route: not yet');
    const last = serviceVerdict({ deployment: ok, targets: ok, route: ok, endpoint: pending });
    expect(last.detail).toBe('endpoint: not yet');
  });

  it('fails when one has failed for good', () => {
    expect(serviceVerdict({ deployment: failed, targets: ok, endpoint: ok })).toEqual({
      status: 'failed',
      detail: 'deployment: broken',
    });
  });
});
