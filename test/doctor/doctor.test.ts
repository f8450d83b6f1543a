import { DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateListenerCommand,
  CreateRuleCommand,
  DeleteListenerCommand,
  DeleteRuleCommand,
  ElasticLoadBalancingV2Client,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  Route53Client,
  type ResourceRecordSet,
  type VPC,
  type VPCRegion,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CreateServiceCommand, ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { startGateway, type FaultRule, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { seedLandingZone } from '../../sandbox/landing-zone/seed.ts';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { createCellAws } from '../../src/aws/cell-aws.ts';
import { loadConfig } from '../../src/config.ts';
import type { Cell, Platform } from '../../src/contracts/platform.ts';
import { createDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { adoptNamespace } from '../../src/db/temporal-namespaces.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { adoptLedger, markName } from '../../src/sweep/ledger-mark.ts';
import { seedTenant } from '../db/fixtures.ts';
import { takeNamespace } from '../../src/temporal/namespace-mark.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces } from '../support/namespaces.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { testCaller } from '../support/caller.ts';

const directory = mkdtempSync(join(tmpdir(), 'tenantry-doctor-'));
let gateway: Gateway;
let platform: Platform;
let database: TestDatabase;
let temporalAddress: string;

beforeAll(async () => {
  const [{ url: upstreamUrl }, temporal, testDatabase] = await Promise.all([
    part('ministack'),
    part('temporal'),
    createTestDatabase(),
  ]);
  database = testDatabase;
  temporalAddress = temporal.address;
  gateway = await startGateway({ upstreamUrl, time: 'fast' });
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  const { hostname: host, port, pathname } = new URL(database.tenantUrl);
  platform = await seedLandingZone({
    endpointUrl: gateway.url,
    region: 'us-east-1',
    credentials,
    database: { host, port: Number(port), name: pathname.slice(1) },
  });
  await migrate(database.controlUrl);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await gateway.close();
  await database.drop();
  rmSync(directory, { recursive: true });
});

/** The preflight of the seeded landing zone, described otherwise than it is. */
async function findings(change: Partial<Cell> = {}, env: Record<string, string> = {}): Promise<Finding[]> {
  const file = join(directory, 'platform.json');
  writeFileSync(file, JSON.stringify({ ...platform, cells: platform.cells.map((cell) => ({ ...cell, ...change })) }));
  const config = loadConfig('doctor', {
    DATABASE_URL: database.controlUrl,
    TENANT_DATABASE_URL: database.tenantUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    AWS_ENDPOINT_URL: gateway.url,
    PLATFORM_CONFIG: file,
    TENANTRY_ENABLE_ACCOUNT_PROVISIONING: 'true',
    TENANTRY_PAYLOAD_KEY: Buffer.alloc(32, 1).toString('base64'),
    ...env,
  });
  return examine(config);
}

async function describeNamespace() {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    return await connection.workflowService.describeNamespace({ namespace: 'default' });
  } finally {
    await connection.close();
  }
}

function client<C>(Client: new (config: object) => C): C {
  const { accountId: accessKeyId, region } = onlyCell();
  return new Client({ endpoint: gateway.url, region, credentials: { accessKeyId, secretAccessKey: 'test' } });
}

/** A hosted zone, private when it is given a VPC; answers its id. */
async function makeZone(Name: string, VPC?: VPC): Promise<string> {
  const input = { Name, CallerReference: randomUUID(), ...(VPC && { VPC }) };
  const made = await client(Route53Client).send(new CreateHostedZoneCommand(input));
  return made.HostedZone!.Id!.replace('/hostedzone/', '');
}

const nameServersOf = (Name: string): ResourceRecordSet => ({
  ...{ Name, Type: 'NS', TTL: 300 },
  ResourceRecords: [{ Value: 'ns1.example.net.' }],
});

async function problems(...given: Parameters<typeof findings>): Promise<string> {
  const bad = (await findings(...given)).filter((finding) => finding.verdict === 'problem');
  return bad.map((finding) => `${finding.subject}: ${finding.detail}`).join('\n');
}

const onlyCell = (): Cell => platform.cells[0]!;

describe('the preflight', () => {
  it('finds nothing wrong with a seeded landing zone, and covers what is asked of it', async () => {
    const found = await findings();
    // No worker runs here, which is another test's.
    expect(found.filter((finding) => finding.verdict !== 'ok').map((f) => f.subject)).toEqual(['workers']);
    const covered = new Set(found.flatMap((finding) => finding.covers ?? []));
    for (const id of ['R-PRE-01', 'R-PRE-02', 'R-PRE-03', 'R-PRE-04', 'R-PRE-06', 'R-PRE-07'])
      expect(covered).toContain(id);
    for (const { checks, covers = [] } of found) expect(checks).toHaveLength(covers.length);
    expect(found.find(({ subject }) => subject.startsWith('tenant database'))?.checks).toEqual(['tenant-database']);
  });

  it("says in plain words how the sweep's mark stands, before there is one and after", async () => {
    const ofMark = async () => (await findings()).find(({ subject }) => subject.includes("the sweep's mark"));
    expect(await ofMark()).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(
        /^none was made yet: the first sweep report that lists everything makes it/,
      ) as string,
    });
    const control = createDatabase({ url: database.controlUrl });
    const aws = createCellAws(onlyCell(), { endpointUrl: gateway.url });
    try {
      await seedTenant(control, { slug: 'marked' });
      const deps = { database: control, installationId: await findInstallationId(control), aws: () => aws };
      await adoptLedger(deps, onlyCell().id, { by: 'Ada', reason: 'a test', caller: testCaller });
    } finally {
      aws.destroy();
      await control.close();
    }
    expect(await ofMark()).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(
        /^this database is the one that the mark was made from, and not an older copy/,
      ) as string,
    });
  });

  it('names the file that the products and kinds come from, and what tenants need that is not in it', async () => {
    const control = createDatabase({ url: database.controlUrl });
    const config = join(directory, 'nothing.config.mjs');
    writeFileSync(config, 'export default { products: [] };');
    const ofCatalog = async (env: Record<string, string> = {}) =>
      (await findings({}, env)).filter(({ subject }) => subject === 'products and kinds');
    try {
      await seedTenant(control, { slug: 'of-a-product' });
      expect(await ofCatalog()).toMatchObject([{ verdict: 'ok' }]);
      expect(await ofCatalog({ TENANTRY_CONFIG: config })).toMatchObject([
        {
          verdict: 'problem',
          detail: expect.stringMatching(
            /of product "moamalat", which is not loaded \(from .*nothing.config.mjs\)/,
          ) as string,
        },
      ]);
    } finally {
      await control.close();
    }
  });

  it('warns that no worker polls, because nothing becomes of a tenant before one does', async () => {
    const workers = (await findings()).filter(({ subject }) => subject === 'workers');
    expect(workers).toEqual([
      expect.objectContaining({
        verdict: 'warning',
        detail: expect.stringMatching(/no worker polls the task queue: `tenantry worker` starts one/) as string,
      }),
    ]);
  });

  it('names a cluster that is not there, and what to do', async () => {
    expect(await problems({ cluster: 'moamalat-saas-cluster' })).toMatch(
      /ECS cluster: moamalat-saas-cluster does not exist in region us-east-1: create it, or correct `cluster`/,
    );
  });

  it('names a template service that does not run, and a product for which the platform names none', async () => {
    const absent = { moamalat: { backend: 'nobody', frontend: 'moamalat-company-x-frontend' } };
    expect(await problems({ templateServices: absent })).toContain(
      'template service nobody (moamalat backend): does not exist',
    );
    expect(await problems({ templateServices: { moamalat: { backend: 'moamalat-company-x' } } })).toContain(
      'product moamalat: cell "default" names no frontend template service for moamalat',
    );
  });

  it('names a template that uses what tenants may not use', async () => {
    expect(await problems({ allowedImageRepositories: ['elsewhere/image'], allowedRoleArns: [] })).toMatch(
      /names role arn:aws:iam::.+ may not use; it names image .+moamalat-backend:.+ none of the cell's image repositories/,
    );
  });

  it('names what a clone of a template would be refused for, unless the platform allows it', async () => {
    const ecs = new ECSClient({ endpoint: gateway.url, region: 'us-east-1' });
    const image = `${onlyCell().allowedImageRepositories[0] ?? ''}:1.0`;
    const container = { name: 'app', image, secrets: [{ name: 'API_KEY', valueFrom: 'arn:shared' }] };
    const portMappings = [{ containerPort: 8080 }, { containerPort: 9000 }];
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'other-template',
        executionRoleArn: onlyCell().allowedRoleArns[0],
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [{ ...container, portMappings }],
      }),
    );
    await ecs.send(
      new CreateServiceCommand({
        cluster: onlyCell().cluster,
        serviceName: 'other-template',
        taskDefinition: taskDefinition!.taskDefinitionArn,
        desiredCount: 0,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: [...onlyCell().subnetIds] } },
      }),
    );
    const templateServices = { moamalat: { backend: 'other-template', frontend: 'moamalat-company-x-frontend' } };
    const said = await problems({ templateServices });
    expect(said).toMatch(
      /other-template \(moamalat backend\): cannot be cloned .*several TCP ports \(app:8080, app:9000\)/,
    );
    expect(said).toContain('secret API_KEY of container app');
    const sharedWithTemplate = { moamalat: { secrets: ['API_KEY'] } };
    expect(await problems({ templateServices, sharedWithTemplate })).not.toContain('API_KEY');
  });

  it('names a load balancer or listener that is not there, or is described as another', async () => {
    const [loadBalancer] = onlyCell().loadBalancers;
    const described = (change: object) => problems({ loadBalancers: [{ ...loadBalancer!, ...change }] });
    expect(await described({ arn: `${loadBalancer!.arn}0` })).toMatch(/load balancer .+ does not exist/);
    expect(await described({ httpsListenerArn: `${loadBalancer!.httpsListenerArn}0` })).toMatch(
      /listener .+ does not exist/,
    );
    expect(await described({ canonicalHostedZoneId: 'ZOTHER' })).toMatch(/the platform says ZOTHER/);
    expect(await described({ dnsName: 'other.example.com' })).toMatch(/aliases would point elsewhere/);
  });

  it('names a zone that is not there or is another, and a domain outside it', async () => {
    const { hostedZone } = onlyCell();
    expect(await problems({ hostedZone: { ...hostedZone, id: 'ZNOBODY' } })).toContain(
      'hosted zone: ZNOBODY does not exist',
    );
    expect(await problems({ hostedZone: { ...hostedZone, name: 'other.com' } })).toContain(
      'the platform says other.com',
    );
    expect(await problems({ domains: { moamalat: 'elsewhere.com' } })).toContain(
      'domain elsewhere.com of moamalat does not lie in zone moamalat-pro.com',
    );
  });

  it('names a domain that no certificate of the listener covers: a wildcard is for one label', async () => {
    expect(await problems({ domains: { moamalat: 'notes.moamalat-pro.com' } })).toMatch(
      /load balancer .+: no certificate for tenants of moamalat \(\*\.notes\.moamalat-pro\.com\): .*altnames/,
    );
  });

  it('warns of a switch that is off, and of a shared table of accounts whose rows expire', async () => {
    const TableName = onlyCell().ssmParameters!['/platform/dynamodb/shared-table-name']!;
    const expiry = (Enabled: boolean) =>
      client(DynamoDBClient).send(
        new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled } }),
      );
    await expiry(true);
    try {
      const found = await findings({}, { TENANTRY_ENABLE_ACCOUNT_PROVISIONING: 'false' });
      const warned = found.filter((f) => f.verdict === 'warning' && f.subject !== 'workers').map((f) => f.detail);
      expect(warned).toEqual([
        expect.stringContaining('TENANTRY_ENABLE_ACCOUNT_PROVISIONING is not true here') as string,
        expect.stringContaining('has TTL by attribute expiresAt') as string,
      ]);
    } finally {
      await expiry(false);
    }
  });

  it('warns when a load balancer cannot be asked as readiness will ask it', async () => {
    const [loadBalancer] = onlyCell().loadBalancers;
    const found = await findings({ loadBalancers: [{ ...loadBalancer!, connect: { host: '127.0.0.1', port: 9 } }] });
    const warned = found.filter((f) => f.verdict === 'warning' && f.subject !== 'workers');
    expect(warned[0]?.detail).toMatch(/cannot be asked from here.*ECONNREFUSED/);
  });

  it("names somebody else's rule that would answer for tenants, unless it is allowed or comes last", async () => {
    const elb = client(ElasticLoadBalancingV2Client);
    const [loadBalancer] = onlyCell().loadBalancers;
    const made = await elb.send(
      new CreateRuleCommand({
        ...{ ListenerArn: loadBalancer!.httpsListenerArn, Priority: 12 },
        Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: ['*.moamalat-pro.com'] } }],
        Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
      }),
    );
    const RuleArn = made.Rules![0]!.RuleArn!;
    try {
      expect(await problems()).toContain(`${RuleArn} at priority 12 (host *.moamalat-pro.com) catches every request`);
      expect(await problems({ loadBalancers: [{ ...loadBalancer!, allowedRuleArns: [RuleArn] }] })).toBe('');
      await elb.send(new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn, Priority: 50_000 }] }));
      expect(await problems()).toBe('');
    } finally {
      await elb.send(new DeleteRuleCommand({ RuleArn }));
    }
  });

  it('names a listener on a port that no browser asks', async () => {
    const elb = client(ElasticLoadBalancingV2Client);
    const [loadBalancer] = onlyCell().loadBalancers;
    const made = await elb.send(
      new CreateListenerCommand({
        ...{ LoadBalancerArn: loadBalancer!.arn, Port: 9443, Protocol: 'HTTPS' },
        Certificates: [{ CertificateArn: loadBalancer!.certificateArn }],
        DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
      }),
    );
    const ListenerArn = made.Listeners![0]!.ListenerArn!;
    try {
      const { connect: _, ...direct } = loadBalancer!;
      const said = await problems({ loadBalancers: [{ ...direct, httpsListenerArn: ListenerArn }] });
      expect(said).toContain(`listener ${ListenerArn} is on port 9443: browsers ask 443`);
    } finally {
      await elb.send(new DeleteListenerCommand({ ListenerArn }));
    }
  });

  it('names a part of the zone that it gives to other name servers, where tenants would be', async () => {
    const route53 = client(Route53Client);
    const { id } = onlyCell().hostedZone;
    const delegation = (Action: 'CREATE' | 'DELETE') =>
      route53.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: id,
          ChangeBatch: { Changes: [{ Action, ResourceRecordSet: nameServersOf('tenants.moamalat-pro.com') }] },
        }),
      );
    await delegation('CREATE');
    try {
      expect(await problems()).toBe('');
      for (const domain of ['tenants.moamalat-pro.com', 'eu.tenants.moamalat-pro.com'])
        expect(await problems({ domains: { moamalat: domain } })).toContain(
          `hosted zone: ${id} delegates tenants.moamalat-pro.com to ns1.example.net.: nobody sees records of moamalat here`,
        );
    } finally {
      await delegation('DELETE');
    }
  });

  it('takes the id of its hosted zone as AWS answers it, and no other zone for a rival', async () => {
    const { hostedZone } = onlyCell();
    const found = await findings({ hostedZone: { ...hostedZone, id: `/hostedzone/${hostedZone.id}` } });
    expect(found.filter(({ subject }) => subject.endsWith('hosted zone')).map(({ verdict }) => verdict)).toEqual([
      'ok',
    ]);
  });

  it.each([
    ['cuts the connection', (socket: Socket) => socket.destroy(), 'the connection was cut'],
    [
      'answers with a page',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'),
      "an answer that is not AWS's",
    ],
  ])('names the endpoint, not the credentials, when it %s', async (_, answer, words) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const found = await problems({}, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
      expect(found).toMatch(new RegExp(`^cell default: AWS endpoint: sts:GetCallerIdentity .*${words}`, 'm'));
      expect(found).not.toContain('AWS credentials');
    } finally {
      server.close();
    }
  });

  it('names a private zone, and warns of other zones that answer for tenants', async () => {
    const { hostedZone, region, vpcId } = onlyCell();
    const zones = await Promise.all([
      makeZone(hostedZone.name, { VPCId: vpcId, VPCRegion: region as VPCRegion }),
      makeZone(hostedZone.name),
      makeZone(`tenants.${hostedZone.name}`),
    ]);
    const [hidden, twin, below] = zones;
    try {
      expect(await problems({ hostedZone: { ...hostedZone, id: hidden } })).toContain(
        `hosted zone: ${hidden} (${hostedZone.name}) is private`,
      );
      const warnings = async (domain: string) =>
        (await findings({ domains: { moamalat: domain } }))
          .filter((f) => f.verdict === 'warning' && f.subject.endsWith('hosted zone'))
          .map((f) => f.detail.split(' (')[0]?.split(' has')[0]);
      expect((await warnings(hostedZone.name)).sort()).toEqual([`private zone ${hidden}`, `zone ${twin}`].sort());
      expect(await warnings(`tenants.${hostedZone.name}`)).toContain(`zone ${below}`);
    } finally {
      for (const Id of zones) await client(Route53Client).send(new DeleteHostedZoneCommand({ Id }));
    }
  });

  it('names credentials of another account, and looks no further there', async () => {
    const found = await findings({ accountId: '999999999999' });
    expect(found.filter((f) => f.verdict === 'problem').map((f) => f.detail)).toEqual([
      // Of the platform description alone: its load balancer is another account's than the cell.
      expect.stringContaining("lies outside the cell's account or region"),
      expect.stringContaining('shared-table-arn is not the ARN of shared-items in this cell'),
      expect.stringContaining('the platform says account 999999999999'),
    ]);
    expect(found.flatMap((f) => f.covers ?? [])).not.toContain('R-PRE-01');
  });

  it("refuses tenants' schemas on the control plane's own server outside the sandbox, by whatever name it is reached", async () => {
    const other = new URL(database.tenantUrl);
    other.hostname = other.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
    const said = /tenant database primary: is on the control plane's own server/;
    expect(await problems({ environment: 'production' }, { TENANT_DATABASE_URL: other.href })).toMatch(said);
    expect(await problems({ environment: 'sandbox' })).not.toMatch(said);
  });

  it("names what is missing of PostgreSQL's side: migrations, rights, the server itself", async () => {
    const empty = await createTestDatabase();
    try {
      const said = await problems({}, { DATABASE_URL: empty.controlUrl, TENANT_DATABASE_URL: database.controlUrl });
      expect(said).toMatch(/control database: lacks 0001_init.sql.*: run "tenantry migrate"/);
      expect(said).toContain('it needs CREATEROLE');
    } finally {
      await empty.drop();
    }
    const away = await problems({}, { TENANT_DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing' });
    expect(away).toMatch(/tenant database primary: .*ECONNREFUSED/);
  });

  it("names a tenants' database that its role does not own, and so cannot close to PUBLIC", async () => {
    const { adminUrl } = await part('postgres');
    const name = `unowned_by_doctor_${process.pid}`;
    await createClosedDatabase(adminUrl, name, 'postgres');
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    try {
      await admin.query(`grant connect on database ${name} to provisioner`);
      const url = Object.assign(new URL(database.tenantUrl), { pathname: `/${name}` });
      const said = await problems({}, { TENANT_DATABASE_URL: url.href });
      expect(said).toContain(`role provisioner does not own ${name}`);
      expect(said).toContain(`run ALTER DATABASE ${name} OWNER TO provisioner`);
    } finally {
      await admin.end();
      await dropDatabase(adminUrl, name);
    }
  });

  it("warns of a tenants' database on which more than 10,000 roles have rights", { timeout: 120_000 }, async () => {
    const { adminUrl } = await part('postgres');
    const name = `crowded_by_doctor_${process.pid}`;
    await createClosedDatabase(adminUrl, name, 'provisioner');
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    const url = Object.assign(new URL(database.tenantUrl), { pathname: `/${name}` });
    const warned = async () => {
      const found = await findings({}, { TENANT_DATABASE_URL: url.href });
      return found
        .filter((f) => f.verdict === 'warning' && f.subject.startsWith('tenant database'))
        .map((f) => f.detail);
    };
    // The server's lock table holds the roles of one portion.
    const portions = Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: 1_000 }, (_, k) => `${name}_${i * 1_000 + k}`),
    );
    try {
      for (const roles of portions) {
        await admin.query(roles.map((role) => `create role ${role}`).join(';'));
        await admin.query(`grant connect on database ${name} to ${roles.slice(1).join(', ')}`);
      }
      expect(await warned()).toEqual([]);
      await admin.query(`grant connect on database ${name} to ${portions.map(([role]) => role).join(', ')}`);
      expect(await warned()).toEqual([
        expect.stringMatching(
          /^100\d\d roles have rights on crowded_by_doctor_\d+: each new tenant rewrites that list/,
        ),
      ]);
    } finally {
      await dropDatabase(adminUrl, name);
      for (const roles of portions) await admin.query(`drop role if exists ${roles.join(', ')}`);
      await admin.end();
    }
  });

  it('names the installation that has taken the namespace', async () => {
    const { own, close } = await openNamespaces();
    await takeNamespace(own.client, 'another-one');
    const found = await findings({}, { TEMPORAL_NAMESPACE: own.namespace });
    expect(found.find((f) => f.verdict === 'problem')).toMatchObject({
      subject: 'Temporal',
      detail: expect.stringMatching(/holds the runs of installation another-one, .* adopt-namespace/) as unknown,
    });
    await close();
  });

  it('names a Temporal that does not hold the runs of this database', async () => {
    const control = createDatabase({ url: database.controlUrl });
    const tie = (id: string) =>
      adoptNamespace(control, {
        namespace: { id, name: 'default' },
        by: 'a test',
        reason: 'a test',
        caller: testCaller,
      });
    try {
      await tie('another-server');
      expect(await problems()).toContain('Temporal: the runs of this database are in the Temporal namespace "default"');
      const { namespaceInfo } = await describeNamespace();
      await tie(namespaceInfo!.id!);
      expect(await problems()).toBe('');
    } finally {
      await control.close();
    }
  });

  it('names Temporal when it is away, and goes on with the rest', async () => {
    const found = await findings({}, { TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(found.filter((f) => f.verdict === 'problem').map((f) => f.subject)).toEqual(['Temporal']);
    expect(found.length).toBeGreaterThan(6);
  });

  it("names a ledger that is not the one of the sweep's mark, and rights on it that are missing", async () => {
    const control = createDatabase({ url: database.controlUrl });
    const parameters = (cell: Cell) => createCellAws(cell, { endpointUrl: gateway.url }).parameters;
    const installationId = await findInstallationId(control);
    await control.close();
    const name = markName(installationId, onlyCell().id);
    const denied: FaultRule = {
      match: { service: 'ssm', action: 'GetParameter' },
      fault: { type: 'error', when: 'before', code: 'AccessDeniedException', status: 400 },
    };
    gateway.setFaults({ rules: [denied] });
    expect(await problems()).toMatch(/sweep's mark of the ledger: .*needs ssm:GetParameter and ssm:PutParameter/);
    gateway.setFaults({ rules: null });
    await parameters(onlyCell()).writeParameter(name, 'not a mark');
    expect(await problems()).toContain(`sweep's mark of the ledger: the parameter ${name} holds no mark of the ledger`);
  });
});
