import type { Platform } from '../../src/contracts/platform.ts';
import { parsePlatform } from '../../src/platform.ts';
import { accountIdOf, ensureHostedZone, ensureMailIdentity, ensureRoles } from './account.ts';
import { createClients, destroyClients, type AwsTarget, type SeedClients } from './clients.ts';
import { connectOf, usualMsOf, type Connect } from './gateway-surface.ts';
import { ensureLoadBalancer } from './load-balancer.ts';
import { clusterName, domainName, imageRepository, mailFrom, templates, type TemplateComponent } from './names.ts';
import { ensureNetwork } from './network.ts';
import { deployTemplateImage, ensureCluster, ensureTemplate, untilTemplateRuns } from './templates.ts';

export interface SeedOptions extends AwsTarget {
  /** Where tenants' schemas go, as their containers reach it. */
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  /** How the HTTPS listener is reached; asked of the gateway when absent. */
  readonly connect?: Connect | undefined;
}

/** How long the sandbox's resolvers hold a removed alias, in s. */
const drainSeconds = 2;
const components = ['backend', 'frontend'] as const satisfies readonly TemplateComponent[];

/**
 * Makes the landing zone that MOAMALAT's tenants share, through the AWS APIs of any endpoint, and describes it as
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
  readonly component: TemplateComponent;
  /** `unhealthy`, `crash` and `missing` break the template; any other tag fixes it. */
  readonly tag: string;
}

/** Gives a template service another image: what an operator does to break or to fix it. Returns the new revision's ARN. */
export async function setTemplateImage(options: TemplateImageOptions): Promise<string> {
  const clients = createClients(options);
  try {
    return await deployTemplateImage(clients, options.component, options.tag);
  } finally {
    destroyClients(clients);
  }
}

async function seed(clients: SeedClients, options: SeedOptions): Promise<Platform> {
  const { region, endpointUrl } = options;
  const accountId = await accountIdOf(clients);
  const network = await ensureNetwork(clients, region);
  const balancer = await ensureLoadBalancer(clients, network);
  const zoneId = await ensureHostedZone(clients);
  const roles = await ensureRoles(clients);
  await ensureMailIdentity(clients);
  await ensureCluster(clients);
  for (const component of components) await ensureTemplate(clients, component, { accountId, region, network, roles });
  await Promise.all(components.map((component) => untilTemplateRuns(clients, component)));
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
        allowedImageRepositories: components.map((c) => imageRepository(accountId, region, c)),
        templateServices: { moamalat: { backend: templates.backend.service, frontend: templates.frontend.service } },
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
        hostedZone: { id: zoneId, name: domainName, drainSeconds },
        domains: { moamalat: domainName },
        tenantDatabases: [{ id: 'primary', ...options.database }],
        logRetentionDays: 30,
        mailFrom,
        usualMs: await usualMsOf(endpointUrl),
      },
    ],
  });
}
