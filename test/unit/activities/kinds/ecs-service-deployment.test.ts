import { describe, expect, it } from 'vitest';
import {
  convergence,
  DEPLOYMENT_TAG,
  formatDeploymentMark,
  parseDeploymentMark,
} from '../../../../src/kinds/ecs-service/deployment.ts';
import type { EcsDeployment, EcsService } from '../../../../src/aws/ecs-service.ts';

const created = new Date('2026-01-01T10:00:00Z');
const wanted = {
  taskDefinitionArn: 'td:2',
  desiredCount: 1,
  subnetIds: ['subnet-1', 'subnet-2'],
  securityGroupIds: ['sg-1'],
  targetGroupArn: 'tg:1',
  containerName: 'app',
  containerPort: 8080,
  healthCheckGraceSeconds: 120,
  operationId: 'op-1',
  generation: 1,
};
const target = { targetGroupArn: 'tg:1', containerName: 'app', containerPort: 8080 };
const network = { subnetIds: ['subnet-2', 'subnet-1'], securityGroupIds: ['sg-1'], assignPublicIp: false };
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
    deploymentController: 'ECS',
    targets: [target],
    network,
    healthCheckGraceSeconds: 120,
    events: [],
    createdAt: created,
    tags: mark === undefined ? {} : { [DEPLOYMENT_TAG]: mark },
    ...changes,
  };
}

const updated = new Date(created.getTime() + 300_000);

/** What was right when the service was made, and is corrected since. */
const moved: readonly (readonly [string, Partial<EcsService>])[] = [
  ['into other subnets', { network: { ...network, subnetIds: ['subnet-1'] } }],
  ['behind other security groups', { network: { ...network, securityGroupIds: ['sg-0'] } }],
  ['without a public address', { network: { ...network, assignPublicIp: true } }],
  ['another container behind the load balancer', { targets: [{ ...target, containerName: 'xray' }] }],
  ['another port behind the load balancer', { targets: [{ ...target, containerPort: 2000 }] }],
  ['behind another target group', { targets: [{ ...target, targetGroupArn: 'tg:0' }] }],
  ['behind one target group alone', { targets: [target, { ...target, targetGroupArn: 'tg:0' }] }],
];

describe('convergence', () => {
  it.each([
    ['leaves what is as wanted', service({}, 'op-1 1'), wanted, later, 'none'],
    ['leaves a deployment in progress alone', service({ rolloutState: 'IN_PROGRESS' }, 'op-1 1'), wanted, soon, 'none'],
    ['deploys another task definition', service({ taskDefinitionArn: 'td:1' }, 'op-1 1'), wanted, later, 'deploy'],
    ['deploys anew after a failure', service({ rolloutState: 'FAILED' }, 'op-1 1'), wanted, later, 'deploy'],
    ['deploys anew when none is PRIMARY', service({ isPrimary: false }, 'op-1 1'), wanted, later, 'deploy'],
    ...moved.map(
      ([what, changes]) => [`deploys ${what}`, service({}, 'op-1 1', changes), wanted, later, 'deploy'] as const,
    ),
    ['gives another grace period', service({}, 'op-1 1', { healthCheckGraceSeconds: 0 }), wanted, later, 'scale'],
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
