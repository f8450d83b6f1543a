import {
  defineProduct,
  dnsRecord,
  postgresSchema,
  schemaVariables,
  serviceSettings,
  serviceSteps,
  slugReservation,
  tenantActivation,
  z,
} from 'tenantry';
import { sqsQueue } from './sqs-queue.ts';

/** What a tier buys. */
const sizes = {
  free: { tasks: 1, mostTasks: 1, connections: 5, visibilitySeconds: 30 },
  team: { tasks: 2, mostTasks: 6, connections: 20, visibilitySeconds: 300 },
};

/** Notes: one service behind the shared load balancer, a schema, and a queue for its jobs. */
export const notes = defineProduct({
  name: 'notes',
  tiers: ['free', 'team'],
  places: ['host', 'load-balancer'],
  templates: { app: { containerPort: 8080 } },
  migrations: new URL('./migrations/', import.meta.url),
  settings: ({ cell, tier }) =>
    z.strictObject({
      services: z
        .strictObject({ app: serviceSettings(cell, { min: 1, max: sizes[tier].mostTasks }).optional() })
        .optional(),
      /** How long a job may take before another worker gets it. */
      visibilitySeconds: z.int().min(10).max(43_200).optional(),
    }),
  blueprint(request) {
    const { tenant, tier, settings, cell, host, url, loadBalancer, step, template } = request;
    const size = sizes[tier];
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
        spec: {
          name: `notes-${tenant.slug}-jobs`,
          visibilitySeconds: settings.visibilitySeconds ?? size.visibilitySeconds,
        },
      }),
      ...serviceSteps(request, {
        component: 'app',
        name: `notes-${tenant.slug}-app`,
        port: 8080,
        healthPath: '/health',
        desiredCount: size.tasks,
        settings: settings.services?.app,
        environment: {
          TENANT_ID: tenant.id,
          TENANT_SUBDOMAIN: tenant.slug,
          TENANT_URL: url,
          QUEUE_URL: { ref: 'create_queue.url' },
          ...schemaVariables('create_schema'),
        },
        secrets: { DB_PASSWORD: { ref: 'create_schema.secretArn' } },
        needs: { all: ['validate'], task: ['create_schema', 'create_queue'] },
        record: 'create_dns',
      }),
      step(dnsRecord, {
        id: 'create_dns',
        needs: ['create_alb_rule:app'],
        rereads: true,
        spec: { zoneId: cell.hostedZone.id, host, loadBalancerArn: loadBalancer.arn },
      }),
      step(tenantActivation, {
        id: 'finalize',
        needs: ['create_dns', 'deploy_app'],
        spec: { tenantUrl: url },
      }),
    ];
  },
});
