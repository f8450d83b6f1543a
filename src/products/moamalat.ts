import type { Blueprint, FailsAs, Step } from '../contracts/blueprint.ts';
import { dnsRecord } from '../kinds/dns-record/kind.ts';
import { ecsService } from '../kinds/ecs-service/kind.ts';
import { listenerRule } from '../kinds/listener-rule/kind.ts';
import { logGroup } from '../kinds/log-group/kind.ts';
import { postgresSchema } from '../kinds/postgres-schema/kind.ts';
import { slugReservation } from '../kinds/slug-reservation/kind.ts';
import { targetGroup } from '../kinds/target-group/kind.ts';
import { taskDefinition } from '../kinds/task-definition/kind.ts';
import { tenantActivation } from '../kinds/tenant-activation/kind.ts';
import type { BlueprintRequest, Product } from './product.ts';
import { stepsIn, type MakeStep } from './step.ts';
import { templateServiceOf } from './templates.ts';

/**
 * MOAMALAT: a PostgreSQL schema per tenant, two services on a shared cluster and load balancer.
 * The nine step names are requirement R-ORC-05; order R-ORC-04 with C-06 (two components in one step's name).
 */
export const moamalat: Product = {
  name: 'moamalat',
  tiers: [],
  reservedSlugs: ['company-x', 'moamalat'],
  resolve,
};

/** Ports and paths of the templates (requirement U-24); the frontend's host rule takes all that no path rule takes. */
const components = {
  backend: {
    port: 8080,
    healthPath: '/health',
    probePath: '/api/health',
    rulePaths: ['/api/*'] as string[],
    failsAs: { type: 'BackendFailed', message: 'Backend service failed to start' },
  },
  frontend: {
    port: 80,
    healthPath: '/',
    probePath: '/',
    rulePaths: [] as string[],
    failsAs: { type: 'FrontendFailed', message: 'Frontend service failed to start' },
  },
} satisfies Record<string, { failsAs: FailsAs } & Record<string, unknown>>;

type Component = keyof typeof components;

function resolve(request: BlueprintRequest): Blueprint {
  const { cell, slug, host, loadBalancer } = request;
  const step = stepsIn(cell);
  const steps: Step[] = [
    step(slugReservation, {
      id: 'validate',
      needs: [],
      spec: {
        slug,
        templateServices: [
          templateServiceOf(cell, 'moamalat', 'backend'),
          templateServiceOf(cell, 'moamalat', 'frontend'),
        ],
      },
    }),
    step(postgresSchema, {
      id: 'create_schema',
      needs: ['validate'],
      rereads: true,
      spec: { database: cell.tenantDatabases[0]?.id ?? 'primary', migrations: 'moamalat', connectionLimit: 20 },
    }),
    ...componentSteps(request, 'backend', step),
    ...componentSteps(request, 'frontend', step),
    step(dnsRecord, {
      id: 'create_dns',
      needs: ['create_alb_rule:backend', 'create_alb_rule:frontend'],
      rereads: true,
      spec: { zoneId: cell.hostedZone.id, host, loadBalancerArn: loadBalancer.arn },
    }),
    step(tenantActivation, {
      id: 'finalize',
      needs: ['create_dns', 'deploy_backend', 'deploy_frontend'],
      spec: { tenantUrl: `https://${host}` },
    }),
  ];
  return { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps };
}

function componentSteps(request: BlueprintRequest, component: Component, step: MakeStep): Step[] {
  const { cell, slug, host, loadBalancer } = request;
  const of = components[component];
  const name = `moamalat-${slug}-${component}`;
  return [
    step(logGroup, {
      id: `create_log_group:${component}`,
      needs: ['validate'],
      spec: { name: `/ecs/${name}`, retentionDays: cell.logRetentionDays },
    }),
    step(taskDefinition, {
      id: `create_task_definition:${component}`,
      needs: ['create_schema', `create_log_group:${component}`],
      rereads: true,
      spec: {
        family: name,
        templateService: templateServiceOf(cell, 'moamalat', component),
        environment: component === 'backend' ? backendEnvironment(request) : frontendEnvironment(request),
        secrets: component === 'backend' ? { DB_PASSWORD: { ref: 'create_schema.secretArn' } } : {},
        logGroup: { ref: `create_log_group:${component}.name` },
      },
    }),
    step(targetGroup, {
      id: `create_target_group:${component}`,
      needs: ['validate'],
      rereads: true,
      spec: { component, port: of.port, healthPath: of.healthPath },
    }),
    step(listenerRule, {
      id: `create_alb_rule:${component}`,
      needs: [`create_target_group:${component}`],
      rereads: true,
      spec: {
        loadBalancerArn: loadBalancer.arn,
        host,
        paths: of.rulePaths,
        targetGroupArn: { ref: `create_target_group:${component}.arn` },
      },
    }),
    step(ecsService, {
      id: `deploy_${component}`,
      // ECS refuses a service whose target group is not attached to a listener: the rule comes first.
      needs: [
        `create_task_definition:${component}`,
        `create_alb_rule:${component}`,
        ...(component === 'frontend' ? ['deploy_backend'] : []),
      ],
      rereads: true,
      removeAfter: ['create_dns'], // design rule 8: a record goes before what it points at
      failsAs: of.failsAs,
      spec: {
        serviceName: name,
        taskDefinitionArn: { ref: `create_task_definition:${component}.arn` },
        targetGroupArn: { ref: `create_target_group:${component}.arn` },
        containerName: { ref: `create_task_definition:${component}.containerName` },
        containerPort: { ref: `create_task_definition:${component}.containerPort` },
        desiredCount: 1,
        healthCheckGraceSeconds: 120,
        probe: { loadBalancerArn: loadBalancer.arn, host, path: of.probePath },
      },
    }),
  ];
}

/** Requirement U-21. */
function backendEnvironment({ cell, tenantId, slug, host }: BlueprintRequest) {
  return {
    TENANT_ID: tenantId,
    TENANT_SUBDOMAIN: slug,
    TENANT_URL: `https://${host}`,
    DB_HOST: { ref: 'create_schema.host' },
    DB_PORT: { ref: 'create_schema.port' },
    DB_NAME: { ref: 'create_schema.database' },
    DB_SCHEMA: { ref: 'create_schema.schema' },
    DB_USER: { ref: 'create_schema.role' },
    ENVIRONMENT: cell.environment,
    AWS_REGION: cell.region,
  };
}

function frontendEnvironment({ cell, tenantId, slug, host }: BlueprintRequest) {
  return {
    TENANT_ID: tenantId,
    TENANT_SUBDOMAIN: slug,
    TENANT_URL: `https://${host}`,
    API_BASE_URL: `https://${host}/api`,
    PUBLIC_URL: `https://${host}`,
    ENVIRONMENT: cell.environment,
    AWS_REGION: cell.region,
  };
}
