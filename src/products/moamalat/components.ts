import type { FailsAs, Step } from '../../contracts/blueprint.ts';
import { ecsService } from '../../kinds/ecs-service/kind.ts';
import { listenerRule } from '../../kinds/listener-rule/kind.ts';
import { logGroup } from '../../kinds/log-group/kind.ts';
import { targetGroup } from '../../kinds/target-group/kind.ts';
import { taskDefinition } from '../../kinds/task-definition/kind.ts';
import type { ProductRequest } from '../define-product.ts';

type Request = ProductRequest<never, 'host' | 'load-balancer', 'backend' | 'frontend'>;

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

/** The steps of one of the two services that a tenant has. */
export function componentSteps(request: Request, component: keyof typeof components): Step[] {
  const { cell, host, loadBalancer, step, template, tenant } = request;
  const of = components[component];
  const name = `moamalat-${tenant.slug}-${component}`;
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
        templateService: template(component),
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
function backendEnvironment({ cell, tenant, url }: Request) {
  return {
    TENANT_ID: tenant.id,
    TENANT_SUBDOMAIN: tenant.slug,
    TENANT_URL: url,
    DB_HOST: { ref: 'create_schema.host' },
    DB_PORT: { ref: 'create_schema.port' },
    DB_NAME: { ref: 'create_schema.database' },
    DB_SCHEMA: { ref: 'create_schema.schema' },
    DB_USER: { ref: 'create_schema.role' },
    ENVIRONMENT: cell.environment,
    AWS_REGION: cell.region,
  };
}

function frontendEnvironment({ cell, tenant, url }: Request) {
  return {
    TENANT_ID: tenant.id,
    TENANT_SUBDOMAIN: tenant.slug,
    TENANT_URL: url,
    API_BASE_URL: `${url}/api`,
    PUBLIC_URL: url,
    ENVIRONMENT: cell.environment,
    AWS_REGION: cell.region,
  };
}
