import {
  defineProduct,
  dnsRecord,
  postgresSchema,
  schemaVariables,
  serviceSteps,
  slugReservation,
  tenantActivation,
} from 'tenantry';

/** One service behind the shared load balancer, with a schema for each tenant. */
export const firstProduct = defineProduct({
  name: 'first-product',
  places: ['host', 'load-balancer'],
  templates: { app: { containerPort: 8080 } },
  migrations: new URL('./migrations/', import.meta.url),
  blueprint(request) {
    const { tenant, cell, host, url, loadBalancer, step, template } = request;
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
        spec: { database: cell.tenantDatabases[0]?.id ?? 'primary', migrations: 'first-product', connectionLimit: 10 },
      }),
      ...serviceSteps(request, {
        component: 'app',
        name: `first-product-${tenant.slug}-app`,
        port: 8080,
        healthPath: '/health',
        environment: {
          TENANT_ID: tenant.id,
          TENANT_SUBDOMAIN: tenant.slug,
          TENANT_URL: url,
          ...schemaVariables('create_schema'),
        },
        secrets: { DB_PASSWORD: { ref: 'create_schema.secretArn' } },
        needs: { all: ['validate'], task: ['create_schema'] },
        record: 'create_dns',
      }),
      step(dnsRecord, {
        id: 'create_dns',
        needs: ['create_alb_rule:app'],
        rereads: true,
        spec: { zoneId: cell.hostedZone.id, host, loadBalancerArn: loadBalancer.arn },
      }),
      step(tenantActivation, { id: 'finalize', needs: ['create_dns', 'deploy_app'], spec: { tenantUrl: url } }),
    ];
  },
});
