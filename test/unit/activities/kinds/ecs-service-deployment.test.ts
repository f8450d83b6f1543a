import { describe, expect, it } from 'vitest';
import {
  convergence,
  DEPLOYMENT_TAG,
  formatDeploymentMark,
  parseDeploymentMark,
} from '../../../../src/activities/kinds/ecs-service-deployment.ts';
import type { EcsDeployment, EcsService } from '../../../../src/aws/ecs-services.ts';

const created = new Date('2026-01-01T10:00:00Z');
const wanted = { taskDefinitionArn: 'td:2', desiredCount: 1, operationId: 'op-1', generation: 1 };
const soon = new Date(created.getTime() + 5_000);
const later = new Date(created.getTime() + 600_000);

function service(
  primary: Partial<EcsDeployment>,
  mark: string | undefined,
  changes: Partial<EcsService> = {},
): EcsService {
  const deployment: EcsDeployment = {
    id: 'ecs-svc/1',
    isPrimary: true,
    rolloutState: 'COMPLETED',
    rolloutStateReason: undefined,
    taskDefinitionArn: 'td:2',
    desiredCount: 1,
    runningCount: 1,
    failedTasks: 0,
    createdAt: created,
    ...primary,
  };
  return {
    arn: 'arn',
    name: 'acme',
    status: 'ACTIVE',
    taskDefinitionArn: deployment.taskDefinitionArn,
    desiredCount: 1,
    runningCount: 1,
    pendingCount: 0,
    deployments: [deployment],
    targetGroupArns: [],
    createdAt: created,
    tags: mark === undefined ? {} : { [DEPLOYMENT_TAG]: mark },
    ...changes,
  };
}

const updated = new Date(created.getTime() + 300_000);

describe('convergence', () => {
  it.each([
    ['leaves what is as wanted', service({}, 'op-1 1'), wanted, later, 'none'],
    ['leaves a deployment in progress alone', service({ rolloutState: 'IN_PROGRESS' }, 'op-1 1'), wanted, soon, 'none'],
    ['deploys another task definition', service({ taskDefinitionArn: 'td:1' }, 'op-1 1'), wanted, later, 'deploy'],
    ['deploys anew after a failure', service({ rolloutState: 'FAILED' }, 'op-1 1'), wanted, later, 'deploy'],
    ['deploys anew when none is PRIMARY', service({ isPrimary: false }, 'op-1 1'), wanted, later, 'deploy'],
    ['scales', service({}, 'op-1 1', { desiredCount: 0 }), wanted, later, 'scale'],
    ['deploys for a higher generation', service({}, 'op-1 1'), { ...wanted, generation: 2 }, later, 'deploy'],
    [
      'deploys for a higher generation though the first is still in progress',
      service({ rolloutState: 'IN_PROGRESS' }, 'op-1 1'),
      { ...wanted, generation: 2 },
      soon,
      'deploy',
    ],
    [
      'leaves what the higher generation deployed already',
      service({ id: 'ecs-svc/9', createdAt: updated }, 'op-1 2 1767261900 ecs-svc/9'),
      { ...wanted, generation: 2 },
      later,
      'none',
    ],
    [
      'only marks a fresh deployment whose answer was lost',
      service({ id: 'ecs-svc/9', createdAt: updated, rolloutState: 'IN_PROGRESS' }, 'op-1 1'),
      { ...wanted, generation: 2 },
      new Date(updated.getTime() + 10_000),
      'mark',
    ],
    [
      'deploys for a retry when an unknown deployment is old',
      service({ id: 'ecs-svc/9', createdAt: updated }, 'op-1 1'),
      { ...wanted, generation: 2 },
      later,
      'deploy',
    ],
    ["leaves another operation's deployment of the same revision", service({}, 'op-0 3'), wanted, later, 'none'],
    [
      "deploys for a retry over another operation's deployment",
      service({}, 'op-0 3'),
      { ...wanted, generation: 2 },
      later,
      'deploy',
    ],
  ] as const)('%s', (_, seen, want, now, change) => {
    expect(convergence(seen, want, now)).toEqual({ change });
  });
});

describe('deployment mark', () => {
  it('is read as it was written, with and without a deployment', () => {
    const first = { operationId: '7c9e6679-7425-40de-944b-e07fc1f90ae7', generation: 1 };
    expect(parseDeploymentMark(formatDeploymentMark(first))).toEqual(first);
    const second = { ...first, generation: 2, deploymentId: 'ecs-svc/0123456789012345678', at: created };
    expect(parseDeploymentMark(formatDeploymentMark(second))).toEqual(second);
  });

  it('fits a tag value', () => {
    const mark = {
      operationId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
      generation: 12,
      deploymentId: 'ecs-svc/1',
      at: created,
    };
    expect(formatDeploymentMark(mark)).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
  });

  it.each([undefined, '', 'op', 'op x', 'op 1 2'])('is none: %s', (text) => {
    expect(parseDeploymentMark(text)).toBeUndefined();
  });
});
