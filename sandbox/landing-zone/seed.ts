import type { Platform } from '../../src/contracts/platform.ts';
import { parsePlatform } from '../../src/platform.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import type { Product } from '../../src/products/product.ts';
import { accountIdOf, ensureHostedZone, ensureMailIdentity, ensureRoles } from './account.ts';
import { createClients, destroyClients, type AwsTarget, type SeedClients } from './clients.ts';
import { connectOf, usualMsOf, type Connect } from './gateway-surface.ts';
import { ensureLoadBalancer } from './load-balancer.ts';
import { ensureParameters } from './parameters.ts';
import { ensureClosedBucket } from './buckets.ts';
import {
  clusterName,
  domainsOf,
  imageRepository,
  projectionTable,
  sharedTable,
  templatesOf,
  zoneNameOf,
  type SeededProduct,
  type SeededTemplate,
} from './names.ts';
import { ensureTable } from './tables.ts';
import { ensureNetwork } from './network.ts';
import { deployTemplateImage, ensureCluster, ensureTemplate, untilTemplateRuns } from './templates.ts';

export interface SeedOptions extends AwsTarget {
  /** Where tenants' schemas go, as their containers reach it. */
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  /** Whose tenants it is for; those that come with Tenantry by default. */
  readonly products?: readonly SeededProduct[] | undefined;
  /** The bucket that final dumps of deleted tenants are kept in: its name is no other account's. None by default. */
  readonly archive?: string | undefined;
  /** How the HTTPS listener is reached; asked of the gateway when absent. */
  readonly connect?: Connect | undefined;
}

/** How long the sandbox's resolvers hold a removed alias, in s. */
const drainSeconds = 2;

/**
 * Makes the landing zone that the tenants of all products share, with what those declare, through the AWS APIs of any endpoint, and describes it as
 * `PLATFORM_CONFIG` does. A second run adopts what is there. Resolves once the template services run.
 */
export async function seedLandingZone(options: SeedOptions): Promise<Platform> {
  const clients = createClients(options);
  try {
    return await seed(clients, options);
  } finally {
    destroyClients(clients);
  }
}

export interface TemplateImageOptions extends AwsTarget {
  readonly component: string;
  /** The product that declares the template; `moamalat` by default. */
  readonly product?: Product | undefined;
  /** `unhealthy`, `crash` and `missing` break the template; any other tag fixes it. */
  readonly tag: string;
}

/**
 * Gives a template service another image: what an operator does to break or to fix it. Returns the new revision's ARN.
 * @throws RangeError when the product declares no such template
 */
export async function setTemplateImage(options: TemplateImageOptions): Promise<string> {
  const { component, product = moamalat, tag } = options;
  const template = templatesOf([product]).find((declared) => declared.component === component);
  if (!template)
    throw new RangeError(
      `product ${product.name} declares no template "${component}" (has: ${Object.keys(product.templates).join(', ')})`,
    );
  const clients = createClients(options);
  try {
    return await deployTemplateImage(clients, template, tag);
  } finally {
    destroyClients(clients);
  }
}

async function seed(clients: SeedClients, options: SeedOptions): Promise<Platform> {
  const { region, endpointUrl, products = Object.values(defaultCatalog.products) } = options;
  const templates = templatesOf(products);
  const domains = domainsOf(products);
  const zoneName = zoneNameOf(products);
  const accountId = await accountIdOf(clients);
  const network = await ensureNetwork(clients, region, [
    ...new Set([80, 8080, ...templates.map((t) => t.containerPort)]),
  ]);
  const balancer = await ensureLoadBalancer(clients, network, { zoneName, domains: Object.values(domains) });
  const zoneId = await ensureHostedZone(clients, zoneName);
  const roles = await ensureRoles(clients);
  await ensureMailIdentity(clients, zoneName);
  await ensureTable(clients.dynamodb, projectionTable, ['GSI1', 'GSI2']);
  await ensureTable(clients.dynamodb, sharedTable, ['GSI1', 'GSI2', 'GSI3']);
  if (options.archive !== undefined) await ensureClosedBucket(clients.s3, options.archive);
  const ssmParameters = await ensureParameters(clients, products, { accountId, region });
  await ensureCluster(clients);
  for (const template of templates) await ensureTemplate(clients, template, { accountId, region, network, roles });
  await Promise.all(templates.map((template) => untilTemplateRuns(clients, template)));
  const repositories = templates.map((template) => imageRepository(accountId, region, template));
  const hostless = products.filter(({ places }) => !places.includes('host')).map(({ name }) => name);
  const { httpsListenerArn, arn, dnsName, canonicalHostedZoneId, certificateArn } = balancer;
  const connect = options.connect ?? (await connectOf(endpointUrl, httpsListenerArn));
  return parsePlatform({
    version: 1,
    cells: [
      {
        id: 'default',
        environment: 'sandbox',
        accountId,
        region,
        vpcId: network.vpcId,
        subnetIds: network.subnetIds,
        securityGroupIds: [network.taskGroupId],
        cluster: clusterName,
        allowedRoleArns: [roles.taskRoleArn, roles.executionRoleArn],
        allowedImageRepositories: repositories,
        templateServices: servicesByProduct(templates),
        loadBalancers: [
          {
            arn,
            dnsName,
            canonicalHostedZoneId,
            ipAddressType: 'ipv4',
            httpsListenerArn,
            certificateArn,
            ...(connect && { connect }),
          },
        ],
        hostedZone: { id: zoneId, name: zoneName, drainSeconds },
        domains,
        ...(hostless.length > 0 && { products: hostless }),
        tenantDatabases: [{ id: 'primary', ...options.database }],
        projection: { table: projectionTable },
        sharedTables: [sharedTable],
        ...(ssmParameters && { ssmParameters }),
        ...(options.archive !== undefined && {
          archive: { bucket: options.archive, prefix: 'final/', retentionDays: 30 },
        }),
        logRetentionDays: 30,
        mailFrom: `welcome@${zoneName}`,
        usualMs: await usualMsOf(endpointUrl),
      },
    ],
  });
}

function servicesByProduct(templates: readonly SeededTemplate[]): Record<string, Record<string, string>> {
  const byProduct: Record<string, Record<string, string>> = {};
  for (const { product, component, service } of templates)
    byProduct[product] = { ...byProduct[product], [component]: service };
  return byProduct;
}
