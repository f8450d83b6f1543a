import type { Product } from '../../src/products/product.ts';

/** What the landing zone is seeded by of a product. */
export type SeededProduct = Pick<Product, 'name' | 'places' | 'templates' | 'ssmParameters'>;

/** Names of the sandbox's landing zone, as operators and tests know them. */
export const landingZone = 'tenantry-sandbox';
export const clusterName = 'moamalat-cluster';
export const loadBalancerName = 'moamalat-alb';
export const projectionTable = 'tenants';
/** Where tenants have items side by side. */
export const sharedTable = 'shared-items';
/** Where the template of private accounts is; the names of buckets are everybody's. */
export function templateBucket(accountId: string, region: string): string {
  return `tenantry-templates-${accountId}-${region}`;
}
export const archiveBucket = 'tenantry-archive';

/** The zone that all tenants' hosts lie in: MOAMALAT's own where it is one of the products, its tenants right below it. */
export function zoneNameOf(products: readonly SeededProduct[]): string {
  return products.some(({ name }) => name === 'moamalat') ? 'moamalat-pro.com' : 'sandbox.example';
}

/** The domain of each product whose tenants have hosts. */
export function domainsOf(products: readonly SeededProduct[]): Record<string, string> {
  const zone = zoneNameOf(products);
  const hosted = products.filter(({ places }) => places.includes('host'));
  return Object.fromEntries(hosted.map(({ name }) => [name, name === 'moamalat' ? zone : `${name}.${zone}`]));
}

/** A template service to be seeded. */
export interface SeededTemplate {
  readonly product: string;
  readonly component: string;
  readonly service: string;
  /** Without registry and tag. The gateway's registry has the demo application for it, by the end of its name. */
  readonly repository: string;
  readonly containerPort: number;
}

/** Every template that the products declare. */
export function templatesOf(products: readonly SeededProduct[]): SeededTemplate[] {
  return products.flatMap(({ name: product, templates }) =>
    Object.entries(templates).map(([component, { containerPort, demoPart = 'app', service }]) => ({
      product,
      component,
      service: service ?? `${product}-template-${component}`,
      repository: component === demoPart ? `${product}-${component}` : `${product}-${component}-${demoPart}`,
      containerPort,
    })),
  );
}

/** Image repository in this account's registry, without a tag. */
export function imageRepository(accountId: string, region: string, { repository }: SeededTemplate): string {
  return `${accountId}.dkr.ecr.${region}.amazonaws.com/${repository}`;
}
