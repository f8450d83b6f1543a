import type { Step } from '../../contracts/blueprint.ts';
import type { ProductRequest } from '../define-product.ts';
import { schemaVariables, serviceSteps } from '../service-steps.ts';
import type { MoamalatSettings } from './settings.ts';

type Request = ProductRequest<never, 'host' | 'load-balancer', 'backend' | 'frontend', MoamalatSettings>;

/** The steps of the two services that a tenant has. Ports and paths are those of the templates (requirement U-24). */
export function componentSteps(request: Request): Step[] {
  const { slug } = request.tenant;
  const { services = {} } = request.settings;
  const record = 'create_dns';
  return [
    ...serviceSteps(request, {
      component: 'backend',
      name: `moamalat-${slug}-backend`,
      settings: services.backend,
      port: 8080,
      healthPath: '/health',
      probePath: '/api/health',
      rulePaths: ['/api/*'],
      environment: backendEnvironment(request),
      secrets: { DB_PASSWORD: { ref: 'create_schema.secretArn' } },
      needs: { all: ['validate'], task: ['create_schema'] },
      record,
      failsAs: { type: 'BackendFailed', message: 'Backend service failed to start' },
    }),
    ...serviceSteps(request, {
      component: 'frontend',
      name: `moamalat-${slug}-frontend`,
      settings: services.frontend,
      port: 80,
      healthPath: '/',
      environment: frontendEnvironment(request),
      needs: { all: ['validate'], task: ['create_schema'], deploy: ['deploy_backend'] },
      record,
      failsAs: { type: 'FrontendFailed', message: 'Frontend service failed to start' },
    }),
  ];
}

/** Requirement U-21. */
function backendEnvironment({ cell, tenant, url }: Request) {
  return {
    TENANT_ID: tenant.id,
    TENANT_SUBDOMAIN: tenant.slug,
    TENANT_URL: url,
    ...schemaVariables('create_schema'),
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
