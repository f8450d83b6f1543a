/** Names of the sandbox's landing zone, as operators and tests know them. */
export const landingZone = 'tenantry-sandbox';
export const domainName = 'moamalat-pro.com';
export const clusterName = 'moamalat-cluster';
export const loadBalancerName = 'moamalat-alb';
export const mailFrom = `welcome@${domainName}`;

export type TemplateComponent = 'backend' | 'frontend';

interface Template {
  readonly service: string;
  readonly repository: string;
  readonly containerPort: number;
}

/** Template services that tenants of MOAMALAT are cloned from. */
export const templates: Readonly<Record<TemplateComponent, Template>> = {
  backend: { service: 'moamalat-company-x', repository: 'moamalat-backend', containerPort: 8080 },
  frontend: { service: 'moamalat-company-x-frontend', repository: 'moamalat-frontend', containerPort: 80 },
};

/** Image repository in this account's registry, without a tag. */
export function imageRepository(accountId: string, region: string, component: TemplateComponent): string {
  return `${accountId}.dkr.ecr.${region}.amazonaws.com/${templates[component].repository}`;
}
