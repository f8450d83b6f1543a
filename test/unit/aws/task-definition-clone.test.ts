import { describe, expect, it } from 'vitest';
import { cloneTaskDefinition, imageRepository } from '../../../src/aws/task-definition-clone.ts';

const role = 'arn:aws:iam::000000000000:role/task';
const template = {
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/template:7',
  family: 'template',
  revision: 7,
  status: 'ACTIVE' as const,
  registeredAt: new Date(0),
  registeredBy: 'arn:aws:iam::000000000000:user/ops',
  requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.task-iam-role' }],
  compatibilities: ['EC2' as const, 'FARGATE' as const],
  networkMode: 'awsvpc' as const,
  cpu: '512',
  memory: '1024',
  taskRoleArn: role,
  executionRoleArn: role,
  volumes: [{ name: 'scratch' }],
  containerDefinitions: [
    {
      name: 'sidecar',
      image: 'registry.example.com:5000/team/sidecar:3',
      environment: [{ name: 'TENANT_ID', value: 'company-x' }],
    },
    {
      name: 'app',
      image: 'registry.example.com:5000/team/app@sha256:0',
      essential: true,
      portMappings: [{ containerPort: 8080 }],
      environment: [
        { name: 'TENANT_ID', value: 'company-x' },
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'DB_PASSWORD', value: 'in the clear' },
      ],
      secrets: [{ name: 'API_KEY', valueFrom: 'arn:shared' }],
      logConfiguration: {
        logDriver: 'awslogs' as const,
        options: { 'awslogs-group': '/ecs/template', 'awslogs-create-group': 'true', mode: 'non-blocking' },
      },
    },
  ],
};
const request = {
  family: 'acme-backend',
  environment: { TENANT_ID: 'acme', DB_HOST: 'db' },
  secrets: { DB_PASSWORD: 'arn:acme' },
  logGroup: '/ecs/acme',
  logStreamPrefix: 'backend',
  region: 'us-east-1',
  allowedRoleArns: [role],
  allowedImageRepositories: ['registry.example.com:5000/team/app', 'registry.example.com:5000/team/sidecar'],
};

describe('cloneTaskDefinition', () => {
  it('drops what AWS only answers and keeps the rest', () => {
    const { definition } = cloneTaskDefinition(template, request);
    const { containerDefinitions: _containers, ...rest } = definition;
    expect(rest).toEqual({
      family: 'acme-backend',
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '512',
      memory: '1024',
      taskRoleArn: role,
      executionRoleArn: role,
      volumes: [{ name: 'scratch' }],
    });
  });

  it('lets given names win, also over one of the other sort, and keeps those of the template', () => {
    const { definition, containerName, containerPort } = cloneTaskDefinition(template, request);
    const app = definition.containerDefinitions?.[1];
    expect([containerName, containerPort]).toEqual(['app', 8080]);
    expect(app?.environment).toEqual([
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'TENANT_ID', value: 'acme' },
      { name: 'DB_HOST', value: 'db' },
    ]);
    expect(app?.secrets).toEqual([
      { name: 'API_KEY', valueFrom: 'arn:shared' },
      { name: 'DB_PASSWORD', valueFrom: 'arn:acme' },
    ]);
  });

  it("leaves no container with the template's value of a given name, and gives a sidecar no more than it had", () => {
    const { definition } = cloneTaskDefinition(template, request);
    const sidecar = definition.containerDefinitions?.[0];
    expect(sidecar?.environment).toEqual([{ name: 'TENANT_ID', value: 'acme' }]);
    expect(sidecar?.secrets).toEqual([]);
  });

  it("sends every container's log to the tenant's group", () => {
    const { definition } = cloneTaskDefinition(template, request);
    const options = { 'awslogs-group': '/ecs/acme', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': 'backend' };
    expect(definition.containerDefinitions?.map((c) => c.logConfiguration)).toEqual([
      { logDriver: 'awslogs', options },
      { logDriver: 'awslogs', options: { ...options, mode: 'non-blocking' } },
    ]);
  });

  it.each([
    ['no network mode awsvpc', { networkMode: 'bridge' as const }],
    ['no cpu', { cpu: undefined }],
    ['no container with a port', { containerDefinitions: [{ name: 'app', image: 'x' }] }],
    ['no container', { containerDefinitions: [] }],
  ])('rejects a template with %s', (_, change) => {
    expect(() => cloneTaskDefinition({ ...template, ...change }, request)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_UNUSABLE' }),
    );
  });

  it.each([
    ['task role', { taskRoleArn: 'arn:aws:iam::000000000000:role/admin' }, {}],
    ['execution role', { executionRoleArn: 'arn:aws:iam::000000000000:role/admin' }, {}],
    ['image', {}, { allowedImageRepositories: ['registry.example.com:5000/team/app'] }],
  ])('refuses a %s outside the cell', (_, templateChange, requestChange) => {
    expect(() => cloneTaskDefinition({ ...template, ...templateChange }, { ...request, ...requestChange })).toThrow(
      expect.objectContaining({ code: 'OUTSIDE_CELL' }),
    );
  });
});

describe('imageRepository', () => {
  it.each([
    ['app', 'app'],
    ['app:1.0', 'app'],
    ['team/app@sha256:abc', 'team/app'],
    ['registry:5000/team/app', 'registry:5000/team/app'],
    ['registry:5000/team/app:1@sha256:abc', 'registry:5000/team/app'],
  ])('%s is of %s', (image, repository) => expect(imageRepository(image)).toBe(repository));
});
