import type { ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import type { Template, TemplateUse } from '../../../src/aws/template.ts';

export const templateRole = 'arn:aws:iam::000000000000:role/task';

export const sidecar: ContainerDefinition = {
  name: 'sidecar',
  image: 'registry.example.com:5000/team/sidecar:3',
  portMappings: [{ containerPort: 2000, protocol: 'udp' }],
  environment: [{ name: 'TENANT_ID', value: 'company-x' }],
};

export const app: ContainerDefinition = {
  name: 'app',
  image: 'registry.example.com:5000/team/app@sha256:0',
  essential: true,
  portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
  environment: [
    { name: 'TENANT_ID', value: 'company-x' },
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'DB_PASSWORD', value: 'in the clear' },
  ],
  secrets: [{ name: 'API_KEY', valueFrom: 'arn:shared' }],
  logConfiguration: {
    logDriver: 'awslogs',
    options: { 'awslogs-group': '/ecs/template', 'awslogs-create-group': 'true', mode: 'non-blocking' },
  },
};

/** A template with a sidecar before its application, as AWS answers it. */
export function exampleTemplate(
  changes: Partial<TaskDefinition> = {},
  targets: Template['service']['targets'] = [
    { targetGroupArn: 'arn:template', containerName: 'app', containerPort: 8080 },
  ],
): Template {
  const arn = 'arn:aws:ecs:us-east-1:000000000000:task-definition/template:7';
  const definition: TaskDefinition = {
    taskDefinitionArn: arn,
    family: 'template',
    revision: 7,
    status: 'ACTIVE',
    registeredAt: new Date(0),
    registeredBy: 'arn:aws:iam::000000000000:user/ops',
    requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.task-iam-role' }],
    compatibilities: ['EC2', 'FARGATE'],
    networkMode: 'awsvpc',
    cpu: '512',
    memory: '1024',
    taskRoleArn: templateRole,
    executionRoleArn: templateRole,
    volumes: [{ name: 'scratch', host: {} }],
    containerDefinitions: [sidecar, app],
    ...changes,
  };
  return { service: { name: 'company-x', targets }, definition, unknownFields: [], arn };
}

/** A clone that takes over the names of a tenant, and may share one secret. */
export function exampleUse(changes: Partial<TemplateUse> = {}): TemplateUse {
  return {
    given: new Set(['TENANT_ID', 'DB_HOST', 'DB_PASSWORD']),
    perTenant: new Set(['TENANT_ID', 'DB_HOST', 'DB_PASSWORD', 'PUBLIC_URL']),
    shared: { secrets: ['API_KEY'] },
    allowedRoleArns: [templateRole],
    allowedImageRepositories: ['registry.example.com:5000/team/app', 'registry.example.com:5000/team/sidecar'],
    ...changes,
  };
}
