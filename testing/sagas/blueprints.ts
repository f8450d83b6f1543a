import type { Catalog } from '../../src/catalog/catalog.ts';
import { blueprintProblems, type Step } from '../../src/contracts/blueprint.ts';
import type { Cell } from '../../src/contracts/platform.ts';
import { resolveUnplaced } from '../../src/products/places.ts';
import type { Product } from '../../src/products/product.ts';

/**
 * The steps of a product's tenants, for naming the cases before anything runs.
 * @throws Error when they cannot run; the message says why
 */
export function blueprintOfProduct(product: Product, tier: string | null, { kinds }: Catalog): readonly Step[] {
  const tenant = { tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme', tier };
  const blueprint = resolveUnplaced(product, cellFor(product), tenant);
  const problems = blueprintProblems(blueprint, kinds);
  if (problems.length > 0) throw new Error(`the blueprint of ${product.name} cannot run: ${problems.join('; ')}`);
  return blueprint.steps;
}

/** A cell that serves the product, with no AWS behind it. */
function cellFor({ name, templates }: Product): Cell {
  const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:000000000000:${rest}`;
  const zone = 'tenants.example';
  return {
    id: 'default',
    environment: 'test',
    accountId: '000000000000',
    region: 'us-east-1',
    vpcId: 'vpc-1',
    subnetIds: ['subnet-1'],
    securityGroupIds: ['sg-1'],
    cluster: 'tenants',
    allowedRoleArns: [arn('iam', 'role/task')],
    allowedImageRepositories: ['000000000000.dkr.ecr.us-east-1.amazonaws.com/app'],
    templateServices: {
      [name]: Object.fromEntries(Object.keys(templates).map((component) => [component, `${name}-${component}`])),
    },
    loadBalancers: [
      {
        arn: arn('elasticloadbalancing', 'loadbalancer/app/tenants/1'),
        dnsName: 'tenants.example.amazonaws.com',
        canonicalHostedZoneId: 'Z35SXDOTRQ7X7K',
        ipAddressType: 'ipv4',
        httpsListenerArn: arn('elasticloadbalancing', 'listener/app/tenants/1/2'),
        certificateArn: arn('acm', 'certificate/1'),
      },
    ],
    hostedZone: { id: 'Z1', name: zone, drainSeconds: 60 },
    domains: { [name]: zone },
    products: [name],
    tenantDatabases: [{ id: 'primary', host: 'db.internal', port: 5432, name: 'tenants' }],
    logRetentionDays: 30,
    mailFrom: `no-reply@${zone}`,
    mailLocale: 'en',
  };
}
