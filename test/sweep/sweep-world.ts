import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { startPostgres } from '../../sandbox/parts/postgres.ts';
import { seedLandingZone } from '../../sandbox/landing-zone/seed.ts';
import { createAwsForPlatform, type CellAws } from '../../src/aws/cell-aws.ts';
import type { Cell, Platform } from '../../src/contracts/platform.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import type { LostOperation, SweepFinding, SweepReport } from '../../src/contracts/sweep.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTenantDatabases, type TenantDatabases } from '../../src/db/tenant-databases.ts';
import { loginName, ownershipTags, schemaName, secretName, targetGroupName } from '../../src/naming.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import type { SweepDeps, TemporalRuns } from '../../src/sweep/dependencies.ts';
import { createSweep, type Sweep } from '../../src/sweep/sweep.ts';
import { seedTenant } from '../db/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { testCaller } from '../support/caller.ts';

/** A sweep over a seeded landing zone behind the gateway, and PostgreSQL; Temporal's word is given by the test. */
export interface SweepWorld {
  readonly sweep: Sweep;
  readonly deps: SweepDeps;
  readonly gateway: Gateway;
  readonly cell: Cell;
  readonly aws: CellAws;
  readonly database: Database;
  readonly databases: TestDatabase;
  readonly installationId: string;
  readonly tenantDatabases: TenantDatabases;
  readonly temporalRuns: FakeTemporalRuns;
  /** The same sweep over another database: a restored one. */
  over(database: Database): Sweep;
  /** The same sweep, so much later. */
  later(ms: number): Sweep;
  close(): Promise<void>;
}

/** Remembers what Temporal would. */
export class FakeTemporalRuns implements TemporalRuns {
  readonly known = new Set<string>();
  readonly lost: LostOperation[] = [];
  readonly finished: string[] = [];
  isAway = false;

  async findLost(): Promise<readonly LostOperation[]> {
    return this.answer([...this.lost]);
  }

  async knowsTenant(tenantId: string): Promise<boolean> {
    return this.answer(this.known.has(tenantId));
  }

  async finishLost(_caller: Caller, lost: LostOperation): Promise<string> {
    this.finished.push(lost.operationId);
    this.lost.splice(this.lost.indexOf(lost), 1);
    return this.answer(`a run that finishes ${lost.operationId} was started`);
  }

  private answer<T>(value: T): T {
    if (this.isAway) throw new Error('Temporal does not answer');
    return value;
  }
}

/** Past every lateness window, in ms: what a test planted just now is old enough. */
export const GROWN_UP_MS = 60_000;

/** What a world is made of: a landing zone of its own, and databases. */
export interface SweepGround {
  readonly gateway: Gateway;
  readonly platform: Platform;
  readonly databases: TestDatabase;
  close(): Promise<void>;
}

export async function startGround(): Promise<SweepGround> {
  const { url: upstreamUrl } = await part('ministack');
  const gateway = await startGateway({ upstreamUrl, time: 'fast' });
  // Roles belong to the whole server: those that other test files make would be findings.
  const postgres = await startPostgres({ log: () => undefined, port: await freePort() });
  const databases = await createTestDatabase(postgres);
  const { hostname: host, port, pathname } = new URL(databases.tenantUrl);
  const platform = await seedLandingZone({
    endpointUrl: gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: freshAccountId(), secretAccessKey: 'test' },
    database: { host, port: Number(port), name: pathname.slice(1) },
  });
  await migrate(databases.controlUrl);
  return {
    gateway,
    platform,
    databases,
    close: async () => {
      await postgres.stop();
      await gateway.close();
    },
  };
}

export async function startSweepWorld(given?: SweepGround): Promise<SweepWorld> {
  const ground = given ?? (await startGround());
  const { gateway, platform, databases } = ground;
  const cell = platform.cells[0]!;
  const database = createDatabase({ url: databases.controlUrl });
  const tenantDatabases = createTenantDatabases({ primary: databases.tenantUrl }, defaultCatalog.migrations);
  const adapters = createAwsForPlatform(platform, {
    endpointUrl: gateway.url,
    credentials: { accessKeyId: cell.accountId, secretAccessKey: 'test' },
    pacing: { factor: Infinity },
  });
  const installationId = await findInstallationId(database);
  const temporalRuns = new FakeTemporalRuns();
  const deps: SweepDeps = {
    database,
    tenantDatabases,
    platform,
    catalog: defaultCatalog,
    installationId,
    aws: adapters,
    temporalRuns,
    log: pino({ level: 'silent' }),
    now: () => new Date(Date.now() + GROWN_UP_MS),
  };
  return {
    sweep: createSweep(deps),
    deps,
    gateway,
    cell,
    aws: adapters(cell.id),
    database,
    databases,
    installationId,
    tenantDatabases,
    temporalRuns,
    over: (other) => createSweep({ ...deps, database: other }),
    later: (ms) => createSweep({ ...deps, now: () => new Date(Date.now() + GROWN_UP_MS + ms) }),
    close: async () => {
      adapters.destroy();
      await tenantDatabases.close();
      await database.close();
      if (!given) await ground.close();
    },
  };
}

/** Whose mark a planted thing bears. */
export interface Stranger {
  readonly installationId: string;
  readonly tenantId: string;
  readonly slug: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A tenant that no ledger knows, of this installation unless another is named. */
export function stranger({ installationId }: Pick<SweepWorld, 'installationId'>, slug = someSlug()): Stranger {
  const tenantId = randomUUID();
  const tags = ownershipTags({
    installationId,
    tenantId,
    product: 'moamalat',
    operationId: randomUUID(),
    stepId: 'planted',
  });
  return { installationId, tenantId, slug, tags };
}

export function someSlug(): string {
  return `x-${randomUUID().slice(0, 8)}`;
}

/** The names that a tenant's things have. */
export function namesFor({ installationId, tenantId, slug }: Pick<Stranger, 'installationId' | 'tenantId' | 'slug'>) {
  return {
    service: `moamalat-${slug}-backend`,
    logGroup: `/ecs/moamalat-${slug}-backend`,
    targetGroup: targetGroupName(installationId, tenantId, 'backend'),
    secret: secretName(installationId, tenantId, 'create_schema'),
    schema: schemaName(tenantId),
  };
}

/** A small set of things that look like a tenant's: log group, target group, rule, secret, task definition, record. */
export async function plantAll({ aws, cell }: SweepWorld, owner: Stranger): Promise<Record<PlantedType, string>> {
  const names = namesFor(owner);
  const host = `${owner.slug}.${cell.hostedZone.name}`;
  const lb = cell.loadBalancers[0]!;
  await aws.logs.createLogGroup(names.logGroup, owner.tags);
  const targetGroupArn = await plantTargetGroup({ aws, cell }, names.targetGroup, owner.tags);
  const rule = await aws.loadBalancing.createRule({
    listenerArn: lb.httpsListenerArn,
    priority: 1_000 + Math.floor(Math.random() * 20_000),
    host,
    paths: ['/api/*'],
    targetGroupArn,
    tags: owner.tags,
  });
  const secret = await aws.secrets.ensureSecret({
    name: names.secret,
    value: 'planted',
    tags: owner.tags,
    token: randomUUID(),
  });
  const revision = await aws.ecs.registerTaskDefinition(
    { family: names.service, containerDefinitions: [{ name: 'app', image: 'nowhere/app:1', memory: 128 }] },
    owner.tags,
  );
  const alias = { zoneId: lb.canonicalHostedZoneId, dnsName: lb.dnsName, evaluateTargetHealth: false };
  const { installationId, tenantId, tags } = owner;
  const marker = ['tenantry', installationId, tenantId, 'moamalat', tags['tenantry:operation-id'], 'planted'].join(':');
  await aws.dns.change(cell.hostedZone.id, [
    { action: 'CREATE', record: { name: host, type: 'A', values: [], alias } },
    { action: 'CREATE', record: { name: `_tenantry.${host}`, type: 'TXT', ttlSeconds: 60, values: [`"${marker}"`] } },
  ]);
  return {
    'logs:log-group': names.logGroup,
    'elbv2:target-group': targetGroupArn,
    'elbv2:rule': rule!.arn,
    'secretsmanager:secret': secret.arn,
    'ecs:task-definition': revision,
    'route53:record': `${cell.hostedZone.id}/${host}`,
  };
}

export type PlantedType =
  | 'logs:log-group'
  | 'elbv2:target-group'
  | 'elbv2:rule'
  | 'secretsmanager:secret'
  | 'ecs:task-definition'
  | 'route53:record';

export function plantTargetGroup(
  { aws, cell }: Pick<SweepWorld, 'aws' | 'cell'>,
  name: string,
  tags: Readonly<Record<string, string>>,
): Promise<string> {
  return aws.loadBalancing.createTargetGroup({ name, vpcId: cell.vpcId, port: 8080, healthPath: '/health', tags });
}

/** Schema and role of a tenant, as its own step makes them. */
export async function plantSchema({ tenantDatabases }: SweepWorld, owner: Stranger): Promise<void> {
  const { installationId, tenantId, tags } = owner;
  const operationId = tags['tenantry:operation-id']!;
  const ownership = { installationId, tenantId, product: 'moamalat', operationId, stepId: 'planted' };
  const key = { database: 'primary', name: schemaName(tenantId), ownership };
  await tenantDatabases.ensureRole(key, { password: 'planted-password', connectionLimit: 2 }, () => Promise.resolve());
  await tenantDatabases.ensureSchema(key, () => Promise.resolve());
}

/** The login of a tenant after a rotation, with its secret, as its own step makes them. */
export async function plantLogin({ aws, tenantDatabases }: SweepWorld, owner: Stranger) {
  const { installationId, tenantId, tags } = owner;
  const [operationId, stepId] = [tags['tenantry:operation-id']!, 'create_login:2'];
  const ownership = { installationId, tenantId, product: 'moamalat', operationId, stepId };
  const [name, password] = [loginName(tenantId, 2), 'planted-password'];
  const key = { database: 'primary', name, owner: schemaName(tenantId), ownership };
  await tenantDatabases.ensureLogin(key, { password, connectionLimit: 2 }, () => Promise.resolve());
  const secret = secretName(installationId, tenantId, stepId);
  await aws.secrets.ensureSecret({
    name: secret,
    value: password,
    tags: ownershipTags(ownership),
    token: randomUUID(),
  });
  return { name, user: name, password, secret };
}

/** A tenant with a closed provisioning, as SQL says: what an undo or a commit left in the ledger is put there by the test. */
export async function ledgerTenant(
  { database, installationId }: Pick<SweepWorld, 'database' | 'installationId'>,
  status: 'active' | 'failed' | 'deleted',
): Promise<Stranger & { readonly operationId: string }> {
  const { tenantId, operationId, slug } = await seedTenant(database, { slug: someSlug() });
  const path = { active: ['validating', 'creating', 'active'], failed: ['validating', 'failed'], deleted: ['deleted'] };
  const state = status === 'active' ? 'succeeded' : status === 'failed' ? 'abandoned' : 'withdrawn';
  for (const next of path[status])
    await database.query('update tenants set status = $2 where id = $1', [tenantId, next]);
  if (status === 'active') await database.query('update tenants set activated_at = now() where id = $1', [tenantId]);
  await database.query('update operations set state = $2, closed_at = now() where id = $1', [operationId, state]);
  const tags = ownershipTags({ installationId, tenantId, product: 'moamalat', operationId, stepId: 'planted' });
  return { installationId, tenantId, slug, tags, operationId };
}

/** A row of the ledger. */
export async function ledgerRow(
  { database, cell }: Pick<SweepWorld, 'database' | 'cell'>,
  owner: { readonly tenantId: string; readonly operationId: string },
  row: { type: string; name: string; state: string; physicalId?: string; wasMade?: boolean },
): Promise<void> {
  await database.query(
    `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, physical_id, state, made_at)
     values ($1, 'planted', $2, $3, $4, $5, $6, $7, case when $8 then now() end)`,
    [
      owner.tenantId,
      cell.id,
      owner.operationId,
      row.type,
      row.name,
      row.physicalId ?? null,
      row.state,
      row.wasMade ?? false,
    ],
  );
}

/** A service of the template's revision behind a rule, whose targets are in this state once this resolves. */
export async function plantServing(
  world: SweepWorld,
  owner: Stranger,
  health: 'healthy' | 'unhealthy' = 'healthy',
): Promise<Record<PlantedType | 'running-revision', string>> {
  const { aws, cell } = world;
  const names = namesFor(owner);
  const planted = await plantAll(world, owner);
  const template = await aws.ecs.findService(cell.templateServices.moamalat!.backend!);
  const revision = await aws.ecs.findTaskDefinition(template!.taskDefinitionArn!);
  const { family: _, ...definition } = revision!.definition;
  const { containerDefinitions, networkMode, requiresCompatibilities, cpu, memory, taskRoleArn, executionRoleArn } =
    definition;
  const container = containerDefinitions![0]!;
  const image = health === 'healthy' ? container.image : container.image?.replace(/:[^:/]+$/, ':unhealthy');
  const taskDefinitionArn = await aws.ecs.registerTaskDefinition(
    {
      family: names.service,
      containerDefinitions: [{ ...container, image }],
      networkMode,
      requiresCompatibilities: requiresCompatibilities,
      cpu,
      memory,
      taskRoleArn,
      executionRoleArn,
    },
    owner.tags,
  );
  await aws.ecs.createService({
    name: names.service,
    taskDefinitionArn,
    desiredCount: 1,
    subnetIds: cell.subnetIds,
    securityGroupIds: cell.securityGroupIds,
    targetGroupArn: planted['elbv2:target-group'],
    containerName: container.name!,
    containerPort: container.portMappings![0]!.containerPort!,
    // Unhealthy ones are to stay.
    healthCheckGraceSeconds: health === 'healthy' ? 0 : 3_600,
    tags: owner.tags,
    token: randomUUID().replaceAll('-', ''),
  });
  const end = Date.now() + 20_000;
  for (;;) {
    await sleep(100);
    const targets = await aws.loadBalancing.findTargetHealth(planted['elbv2:target-group']);
    if (targets?.some(({ state }) => state === health)) return { ...planted, 'running-revision': taskDefinitionArn };
    if (Date.now() > end) throw new Error(`no target got ${health}: ${JSON.stringify(targets)}`);
  }
}

export function findingsOf(report: SweepReport, tenantId: string): SweepFinding[] {
  return report.findings.filter(({ owner }) => owner.tenantId === tenantId);
}

export function report(world: Pick<SweepWorld, 'cell'>, sweep: Sweep): Promise<SweepReport> {
  return sweep.report(testCaller, { cell: world.cell.id, by: 'a test' });
}
