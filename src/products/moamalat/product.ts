import { dnsRecord } from '../../kinds/dns-record/kind.ts';
import { postgresSchema } from '../../kinds/postgres-schema/kind.ts';
import { slugReservation } from '../../kinds/slug-reservation/kind.ts';
import { tenantActivation } from '../../kinds/tenant-activation/kind.ts';
import { defineProduct } from '../define-product.ts';
import { componentSteps } from './components.ts';
import { moamalatSettings } from './settings.ts';

/**
 * MOAMALAT: a PostgreSQL schema per tenant, two services on a shared cluster and load balancer.
 * The nine step names are requirement R-ORC-05; order R-ORC-04 with C-06 (two components in one step's name).
 */
export const moamalat = defineProduct({
  name: 'moamalat',
  places: ['host', 'load-balancer'],
  reservedSlugs: ['company-x', 'moamalat'],
  templates: {
    backend: { containerPort: 8080, demoPart: 'backend', service: 'moamalat-company-x' },
    frontend: { containerPort: 80, demoPart: 'frontend', service: 'moamalat-company-x-frontend' },
  },
  migrations: new URL('./migrations/', import.meta.url),
  settings: moamalatSettings,
  blueprint(request) {
    const { cell, tenant, host, url, loadBalancer, step, template } = request;
    return [
      step(slugReservation, {
        id: 'validate',
        needs: [],
        spec: {
          slug: tenant.slug,
          templateServices: [template('backend'), template('frontend')],
        },
      }),
      step(postgresSchema, {
        id: 'create_schema',
        needs: ['validate'],
        rereads: true,
        spec: { database: cell.tenantDatabases[0]?.id ?? 'primary', migrations: 'moamalat', connectionLimit: 20 },
      }),
      ...componentSteps(request),
      step(dnsRecord, {
        id: 'create_dns',
        needs: ['create_alb_rule:backend', 'create_alb_rule:frontend'],
        rereads: true,
        spec: { zoneId: cell.hostedZone.id, host, loadBalancerArn: loadBalancer.arn },
      }),
      step(tenantActivation, {
        id: 'finalize',
        needs: ['create_dns', 'deploy_backend', 'deploy_frontend'],
        spec: { tenantUrl: url },
      }),
    ];
  },
});
