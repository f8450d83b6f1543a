import type { OperationType } from '../../src/contracts/operation-table.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Step, Blueprint } from '../../src/contracts/blueprint.ts';
import type { Cell, Platform } from '../../src/contracts/platform.ts';
import type { Database } from '../../src/db/database.ts';
import { insertOperation } from '../../src/db/operations.ts';
import { reserveSlug } from '../../src/db/reservations.ts';
import { insertTenant } from '../../src/db/tenants.ts';
import { testCaller } from '../support/caller.ts';

const account = '123456789012';
const region = 'eu-central-1';
const balancing = `arn:aws:elasticloadbalancing:${region}:${account}`;

/** A cell with two load balancers. */
export const cell: Cell = {
  id: 'default',
  environment: 'test',
  accountId: account,
  region,
  vpcId: 'vpc-1',
  subnetIds: ['subnet-1'],
  securityGroupIds: ['sg-1'],
  cluster: 'shared',
  allowedRoleArns: [`arn:aws:iam::${account}:role/task`],
  allowedImageRepositories: ['registry.test/app'],
  templateServices: { moamalat: { backend: 'moamalat-company-x', frontend: 'moamalat-company-x-frontend' } },
  loadBalancers: ['one', 'two'].map((name) => ({
    arn: `${balancing}:loadbalancer/app/${name}/1`,
    dnsName: `${name}.elb.test`,
    canonicalHostedZoneId: 'Z1',
    ipAddressType: 'ipv4',
    httpsListenerArn: `${balancing}:listener/app/${name}/1/2`,
    certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1',
  })),
  hostedZone: { id: 'Z2', name: 'tenants.test', drainSeconds: 60 },
  domains: { moamalat: 'tenants.test' },
  tenantDatabases: [{ id: 'primary', host: 'db.test', port: 5432, name: 'tenants' }],
  logRetentionDays: 30,
  mailFrom: 'no-reply@tenants.test',
  mailLocale: 'en',
};
export const platform: Platform = { version: 1, cells: [cell] };

export interface Seeded {
  readonly tenantId: string;
  readonly operationId: string;
  readonly slug: string;
}

/** Steps of the smallest blueprint there is. */
export function smallSteps(slug: string): Step[] {
  return [
    { id: 'logs', kind: 'log-group', needs: [], spec: { name: `/ecs/moamalat-${slug}-backend`, retentionDays: 30 } },
    { id: 'finalize', kind: 'tenant-activation', needs: ['logs'], spec: { tenantUrl: `https://${slug}.tenants.test` } },
  ];
}

/** A tenant with an accepted provisioning, as the API writes it. */
export async function seedTenant(
  db: Database,
  options: { slug?: string; steps?: (slug: string) => Step[]; blueprint?: unknown } = {},
): Promise<Seeded> {
  const tenantId = randomUUID();
  const slug = options.slug ?? `t${randomBytes(4).toString('hex')}`;
  const steps = (options.steps ?? smallSteps)(slug);
  const blueprint: Blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps };
  const operationId = await db.transaction(async (tx) => {
    await insertTenant(
      tx,
      {
        id: tenantId,
        product: 'moamalat',
        tier: null,
        slug,
        displayName: 'A tenant',
        contactEmail: 'somebody@tenants.test',
        cell: cell.id,
        hostName: `${slug}.tenants.test`,
        tenantUrl: `https://${slug}.tenants.test`,
      },
      testCaller,
    );
    if (!(await reserveSlug(tx, { product: 'moamalat', slug, tenantId }))) throw new Error(`slug ${slug} is taken`);
    return accept(tx, { tenantId, slug, type: 'provision', blueprint: options.blueprint ?? blueprint });
  });
  return { tenantId, operationId, slug };
}

/** Accepts an operation on a tenant. */
export async function accept(
  tx: Parameters<typeof insertOperation>[0],
  request: { tenantId: string; slug: string; type: OperationType; blueprint: unknown; graceMs?: number },
): Promise<string> {
  const row = await insertOperation(tx, {
    id: randomUUID(),
    tenantId: request.tenantId,
    cell: cell.id,
    type: request.type,
    onFailure: 'hold',
    holdMs: 60_000,
    workflowId: `tenant.moamalat.${request.slug}`,
    blueprint: request.blueprint,
    caller: testCaller,
    graceMs: request.graceMs,
  });
  if (!row) throw new Error('an operation is open');
  return row.id;
}

/** An operation that a run has claimed and the tenant that belongs to it, in creation. */
export async function setRunning(db: Database, seeded: Seeded, state = 'running'): Promise<void> {
  await db.query(`update operations set state = $2, run_id = 'run-1' where id = $1`, [seeded.operationId, state]);
  await db.query(`update tenants set status = 'validating' where id = $1 and status = 'pending'`, [seeded.tenantId]);
  await db.query(`update tenants set status = 'creating' where id = $1 and status = 'validating'`, [seeded.tenantId]);
}
