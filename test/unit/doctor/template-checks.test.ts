import { describe, expect, it } from 'vitest';
import type { EcsDeployment, EcsService } from '../../../src/aws/ecs-service.ts';
import { checkTasks } from '../../../src/doctor/template-checks.ts';

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

function service(runningCount: number, desiredCount: number, deployment: Partial<EcsDeployment> = {}): EcsService {
  const taskDefinitionArn = 'arn:aws:ecs:us-east-1:000000000000:task-definition/template:1';
  return {
    arn: 'arn:aws:ecs:us-east-1:000000000000:service/cluster/template',
    name: 'template',
    status: 'ACTIVE',
    taskDefinitionArn,
    deploymentController: 'ECS',
    desiredCount,
    runningCount,
    pendingCount: 0,
    deployments: [
      {
        ...{ id: 'ecs-svc/1', isPrimary: true, rolloutState: 'COMPLETED', rolloutStateReason: undefined },
        ...{ taskDefinitionArn, desiredCount, runningCount, failedTasks: 0, createdAt: minutesAgo(1) },
        ...deployment,
      },
    ],
    targets: [],
    network: undefined,
    healthCheckGraceSeconds: undefined,
    events: [],
    createdAt: minutesAgo(600),
    tags: {},
  };
}

describe('the tasks of a template service', () => {
  it('are in order when as many run as are wanted, and named when fewer do', () => {
    expect(checkTasks(service(1, 1), 'x')).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(/^runs 1 of 1 tasks of arn:/) as unknown,
    });
    for (const [running, desired] of [
      [0, 0],
      [0, 1],
      [1, 2],
    ] as const)
      expect(checkTasks(service(running, desired), 'x')).toMatchObject({
        verdict: 'warning',
        detail: `runs ${running} of ${desired} tasks: tenants cloned from it may not get healthy`,
      });
  });

  it('may be more than wanted while a deployment is under way', () => {
    const finding = checkTasks(service(2, 1, { rolloutState: 'IN_PROGRESS' }), 'x');
    expect(finding.verdict).toBe('ok');
    expect(finding.detail).toMatch(
      /^is deploying: 2 tasks run, and 1 is wanted until the deployment of .+Z has ended$/,
    );
  });

  it('are named when more than wanted run for longer than a deployment takes, or without one', () => {
    const late = checkTasks(service(2, 1, { rolloutState: 'IN_PROGRESS', createdAt: minutesAgo(31) }), 'x');
    expect(late).toMatchObject({ verdict: 'warning' });
    expect(late.detail).toMatch(/its deployment of .+Z does not come to an end/);
    const none = checkTasks(service(3, 2), 'x');
    expect(none).toMatchObject({ verdict: 'warning' });
    expect(none.detail).toMatch(/^3 tasks run, and 2 are wanted, but no deployment is under way/);
  });
});
