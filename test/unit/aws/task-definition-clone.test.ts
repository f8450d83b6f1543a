import { describe, expect, it } from 'vitest';
import { cloneTaskDefinition } from '../../../src/aws/task-definition-clone.ts';
import { exampleTemplate, exampleUse, templateRole as role } from './example-template.ts';

const template = exampleTemplate();
const use = exampleUse();
const request = {
  family: 'acme-backend',
  environment: { TENANT_ID: 'acme', DB_HOST: 'db' },
  secrets: { DB_PASSWORD: 'arn:acme' },
  logGroup: '/ecs/acme',
  logStreamPrefix: 'backend',
  region: 'us-east-1',
};

describe('cloneTaskDefinition', () => {
  it('drops what AWS only answers and keeps the rest', () => {
    const { definition } = cloneTaskDefinition(template, use, request);
    const { containerDefinitions: _containers, ...rest } = definition;
    expect(rest).toEqual({
      family: 'acme-backend',
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '512',
      memory: '1024',
      taskRoleArn: role,
      executionRoleArn: role,
      volumes: [{ name: 'scratch', host: {} }],
    });
  });

  it('lets given names win, also over one of the other sort, and keeps those of the template', () => {
    const { definition, containerName, containerPort } = cloneTaskDefinition(template, use, request);
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
    const { definition } = cloneTaskDefinition(template, use, request);
    const sidecar = definition.containerDefinitions?.[0];
    expect(sidecar?.environment).toEqual([{ name: 'TENANT_ID', value: 'acme' }]);
    expect(sidecar?.secrets).toEqual([]);
  });

  it("sends every container's log to the tenant's group", () => {
    const { definition } = cloneTaskDefinition(template, use, request);
    const options = { 'awslogs-group': '/ecs/acme', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': 'backend' };
    expect(definition.containerDefinitions?.map((c) => c.logConfiguration)).toEqual([
      { logDriver: 'awslogs', options },
      { logDriver: 'awslogs', options: { ...options, mode: 'non-blocking' } },
    ]);
  });

  it("gives the tenant's values to the container that the template's load balancer names, wherever it stands", () => {
    const { definition, containerName, containerPort } = cloneTaskDefinition(template, use, request);
    expect([containerName, containerPort]).toEqual(['app', 8080]);
    const named = (name: string) => definition.containerDefinitions?.find((c) => c.name === name)?.environment;
    expect(named('app')).toContainEqual({ name: 'DB_HOST', value: 'db' });
    expect(named('sidecar')).not.toContainEqual({ name: 'DB_HOST', value: 'db' });
  });

  it('refuses what cannot be cloned', () => {
    const bad = exampleTemplate({ networkMode: 'bridge' });
    expect(() => cloneTaskDefinition(bad, use, request)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_UNUSABLE' }),
    );
  });
});
