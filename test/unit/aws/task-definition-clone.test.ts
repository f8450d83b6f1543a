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

  it("takes image and size of the tenant's own, and none of the limits that would keep its container from them", () => {
    const app = { ...template.definition.containerDefinitions?.[1], cpu: 256, memory: 512, memoryReservation: 128 };
    const sidecar = { ...template.definition.containerDefinitions?.[0], memory: 64 };
    const limited = exampleTemplate({ containerDefinitions: [sidecar, app] });
    const image = 'registry.example.com:5000/team/app@sha256:0';
    const own = { ...request, image, size: { cpu: 1_024, memory: 4_096 } };
    const { definition } = cloneTaskDefinition(limited, use, own);
    expect([definition.cpu, definition.memory]).toEqual(['1024', '4096']);
    const limits = ['image', 'cpu', 'memory', 'memoryReservation'];
    const [first, second] = (definition.containerDefinitions ?? []).map((container) =>
      Object.fromEntries(Object.entries(container).filter(([name]) => limits.includes(name))),
    );
    expect(first).toEqual({ image: sidecar.image, memory: 64 });
    expect(second).toEqual({ image });
    const [, kept] = cloneTaskDefinition(limited, use, { ...request, image }).definition.containerDefinitions ?? [];
    expect(kept).toMatchObject({ image, cpu: 256, memory: 512, memoryReservation: 128 });
  });

  it('refuses what cannot be cloned', () => {
    const bad = exampleTemplate({ networkMode: 'bridge' });
    expect(() => cloneTaskDefinition(bad, use, request)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_UNUSABLE' }),
    );
  });
});
