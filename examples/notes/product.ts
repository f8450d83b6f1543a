import {
  defineProduct,
  dnsRecord,
  ecsService,
  listenerRule,
  logGroup,
  postgresSchema,
  slugReservation,
  targetGroup,
  taskDefinition,
  tenantActivation,
} from 'tenantry';
import { sqsQueue } from './sqs-queue.ts';

/** What a tier buys. */
const sizes = {
  free: { tasks: 1, connections: 5, visibilitySeconds: 30 },
  team: { tasks: 2, connections: 20, visibilitySeconds: 300 },
};

/** Notes: one service behind the shared load balancer, a schema, and a queue for its jobs. */
export const notes = defineProduct({
  name: 'notes',
  tiers: ['free', 'team'],
  places: ['host', 'load-balancer'],
  templates: { app: { containerPort: 8080 } },
  migrations: new URL('./migrations/', import.meta.url),
  blueprint({ tenant, tier, cell, host, url, loadBalancer, step, template }) {
    const size = sizes[tier];
    const name = `notes-${tenant.slug}-app`;
    return [
      step(slugReservation, {
        id: 'validate',
        needs: [],
        spec: { slug: tenant.slug, templateServices: [template('app')] },
      }),
      step(postgresSchema, {
        id: 'create_schema',
        needs: ['validate'],
        rereads: true,
        spec: {
          database: cell.tenantDatabases[0]?.id ?? 'primary',
          migrations: 'notes',
          connectionLimit: size.connections,
        },
      }),
      step(sqsQueue, {
        id: 'create_queue',
        needs: ['validate'],
        spec: { name: `notes-${tenant.slug}-jobs`, visibilitySeconds: size.visibilitySeconds },
      }),
      step(logGroup, {
        id: 'create_log_group',
        needs: ['validate'],
        spec: { name: `/ecs/${name}`, retentionDays: cell.logRetentionDays },
      }),
      step(taskDefinition, {
        id: 'create_task_definition',
        needs: ['create_schema', 'create_queue', 'create_log_group'],
        rereads: true,
        spec: {
          family: name,
          templateService: template('app'),
          environment: {
            TENANT_ID: tenant.id,
            TENANT_SUBDOMAIN: tenant.slug,
            TENANT_URL: url,
            QUEUE_URL: { ref: 'create_queue.url' },
            DB_HOST: { ref: 'create_schema.host' },
            DB_PORT: { ref: 'create_schema.port' },
            DB_NAME: { ref: 'create_schema.database' },
            DB_SCHEMA: { ref: 'create_schema.schema' },
            DB_USER: { ref: 'create_schema.role' },
          },
          secrets: { DB_PASSWORD: { ref: 'create_schema.secretArn' } },
          logGroup: { ref: 'create_log_group.name' },
        },
      }),
      step(targetGroup, {
        id: 'create_target_group',
        needs: ['validate'],
        rereads: true,
        spec: { component: 'app', port: 8080, healthPath: '/health' },
      }),
      step(listenerRule, {
        id: 'create_rule',
        needs: ['create_target_group'],
        rereads: true,
        spec: {
          loadBalancerArn: loadBalancer.arn,
          host,
          paths: [],
          targetGroupArn: { ref: 'create_target_group.arn' },
        },
      }),
      step(ecsService, {
        id: 'deploy',
        // ECS refuses a service whose target group is not attached to a listener: the rule comes first.
        needs: ['create_task_definition', 'create_rule'],
        rereads: true,
        removeAfter: ['create_dns'],
        spec: {
          serviceName: name,
          taskDefinitionArn: { ref: 'create_task_definition.arn' },
          targetGroupArn: { ref: 'create_target_group.arn' },
          containerName: { ref: 'create_task_definition.containerName' },
          containerPort: { ref: 'create_task_definition.containerPort' },
          desiredCount: size.tasks,
          healthCheckGraceSeconds: 120,
          probe: { loadBalancerArn: loadBalancer.arn, host, path: '/health' },
        },
      }),
      step(dnsRecord, {
        id: 'create_dns',
        needs: ['create_rule'],
        rereads: true,
        spec: { zoneId: cell.hostedZone.id, host, loadBalancerArn: loadBalancer.arn },
      }),
      step(tenantActivation, {
        id: 'finalize',
        needs: ['create_dns', 'deploy'],
        spec: { tenantUrl: url },
      }),
    ];
  },
});
