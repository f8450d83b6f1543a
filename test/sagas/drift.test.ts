import { randomUUID } from 'node:crypto';
import { DeleteLogGroupCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  ModifyRuleCommand,
  ModifyTargetGroupAttributesCommand,
  RemoveTagsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { createClients, destroyClients, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { registerDrift } from '../../src/cli/drift.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { DRIFT_WORKFLOW } from '../../src/contracts/drift.ts';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import { resumeDriftRepairs, stopDriftRepairs } from '../../src/db/drift-repairs.ts';
import { repairDrift } from '../../src/worker/drift-repairs.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { listSteps } from '../../src/db/steps.ts';
import { schemaName } from '../../src/naming.ts';
import { caller } from '../../testing/caller.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

const logged: string[] = [];
let world: SagaWorld;
let clients: SeedClients;
let tenants: Database;
beforeAll(async () => {
  const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url, log });
  clients = createClients(world.target);
  tenants = createDatabase({ url: world.sources.databaseUrl });
});
afterAll(async () => {
  destroyClients(clients);
  await tenants.close();
  await world.close();
});

describe('a look at a tenant that nobody touches', () => {
  it('finds nothing, however often it is taken and however late reads are; scaling is none', async () => {
    // Reads lag behind the changes of its provisioning.
    const lag = world.gateway.addRule({ match: { kind: 'change' }, fault: { type: 'stale', forMs: 800 }, times: 200 });
    const run = await active();
    await expectNone(run);
    for (let looks = 0; looks < 10; looks += 1) {
      const seen = await Promise.all(Array.from({ length: 5 }, () => look(run)));
      // On a busy machine a call may get no answer in time: that is unknown, and no finding.
      expect(seen.map(({ findings }) => findings)).toEqual(seen.map(() => []));
    }
    world.gateway.removeRule(lag);
    world.gateway.addRule({ match: { verb: 'drift' }, fault: { type: 'throttle' }, times: 30 });
    const throttled = await Promise.all(Array.from({ length: 5 }, () => look(run)));
    expect(throttled.map(({ findings }) => findings)).toEqual(throttled.map(() => []));
    expect(throttled.flatMap(({ unseen }) => unseen.map(({ code }) => code))).toContain('THROTTLED');
    await clients.ecs.send(new UpdateServiceCommand({ ...(await serviceOf(run, 'frontend')), desiredCount: 3 }));
    await expectNone(run);
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ drift: { state: 'none', findings: 0 } });
  });
});

describe.concurrent('a look at a tenant', () => {
  it('finds each thing that was deleted or changed, field by field, and nothing once it was repaired', async () => {
    const run = await active();
    const planted = await plantAll(run);
    const seen = await look(run);
    expect(seen).toMatchObject({ outcome: 'drift', unseen: [] });
    expect(byStep(seen.findings)).toMatchObject(planted);
    expect(seen.findings).toHaveLength(planted.length);
    const told = await world.client.drift(caller, run.tenantId);
    expect(told).toMatchObject({ drift: { state: 'drift', findings: planted.length } });
    expect(byStep(told.findings)).toMatchObject(planted);
    expect(await changesOf(run, 'appeared')).toHaveLength(planted.length);

    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.drift(caller, run.tenantId)).toMatchObject({ drift: { state: 'unknown' } });
    await expectNone(run);
    expect(await changesOf(run, 'gone')).toHaveLength(planted.length);
    expect(await askTenant(world.platform, hostOf(run), '/api/health')).toMatchObject({ status: 200 });
  });

  it('says of what it cannot look at that it does not know, and keeps what it found before', async () => {
    const run = await active();
    const { name } = await outputsOf(run, 'create_log_group:backend');
    await clients.logs.send(new DeleteLogGroupCommand({ logGroupName: String(name) }));
    const [missing] = (await look(run)).findings;
    expect(missing).toMatchObject({ is: 'missing', field: `logs:log-group ${String(name)}` });
    const match = { verb: 'drift', contains: String(name) };
    const denied = world.gateway.addRule({
      match,
      fault: { type: 'error', when: 'before', code: 'AccessDeniedException' },
      times: null,
    });
    const { findings, unseen } = await look(run);
    world.gateway.removeRule(denied);
    expect(findings).toMatchObject([missing!]);
    expect(unseen).toMatchObject([{ stepId: 'create_log_group:backend', code: 'ACCESS_DENIED' }]);
  });

  it('says who has to put back what no repair can', async () => {
    const run = await active();
    const { arn } = await outputsOf(run, 'create_target_group:backend');
    const tag = 'tenantry:tenant-id';
    await clients.elb.send(new RemoveTagsCommand({ ResourceArns: [String(arn)], TagKeys: [tag] }));
    await tenants.query(`alter role ${schemaName(run.tenantId)} nologin`);
    expect(byStep((await look(run)).findings)).toMatchObject([
      { stepId: 'create_schema', is: 'changed', field: 'role.canLogin', wanted: true, found: false, remedy: 'repair' },
      { stepId: 'create_target_group:backend', is: 'changed', field: `tags.${tag}`, found: null, remedy: 'hand' },
    ]);
  });

  it('is void while an operation is open', async () => {
    const run = await world.provision('moamalat');
    expect(await look(run)).toMatchObject({ outcome: 'void', why: 'an operation of the tenant is open' });
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.drift(caller, run.tenantId)).toMatchObject({ drift: null, findings: [] });
  });
});

describe('a template that went on', () => {
  it('is drift of its tenants, which no repair brings', async () => {
    const run = await active();
    const { templateArn } = await outputsOf(run, 'create_task_definition:backend');
    const [cluster] = [(await serviceOf(run, 'backend')).cluster];
    const newer = await registerLike(String(templateArn));
    const service = world.platform.cells[0]!.templateServices.moamalat!.backend!;
    await clients.ecs.send(new UpdateServiceCommand({ cluster, service, taskDefinition: newer }));
    const behind = { stepId: 'create_task_definition:backend', is: 'changed', field: 'template', remedy: 'refresh' };
    const wanted = [{ ...behind, wanted: newer, found: templateArn }];
    expect((await look(run)).findings).toMatchObject(wanted);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect((await look(run)).findings).toMatchObject(wanted);
  });
});

describe('automatic repair', () => {
  it('stops where many tenants drift at once, and repairs what drifts once somebody let it go on', async () => {
    const alerts: object[] = [];
    const nothing = () => undefined;
    const log = { debug: nothing, info: nothing, warn: nothing, error: (line: object) => void alerts.push(line) };
    const { client, database, platform } = world;
    const deps = { database, platform, client, catalog: defaultCatalog, policy: 'automatic', log } as const;
    const cell = platform.cells[0]!.id;
    const runs = await Promise.all([active(), active(), active()]);
    for (const run of runs) await shortenRetention(run);
    await Promise.all(runs.map((run) => lookUntilSeen(run)));
    await repairDrift({ ...deps, policy: undefined });
    expect(alerts).toEqual([]);
    await repairDrift(deps);
    await repairDrift(deps);
    expect(alerts).toMatchObject([{ alert: 'drift-breaker', cell }]);
    expect(await typesOf(runs)).toEqual(['provision', 'provision', 'provision']);

    expect(await resumeDriftRepairs(database, cell, caller)).toBe(true);
    await until(async () => {
      await repairDrift(deps);
      return (await typesOf(runs)).every((type) => type === 'repair');
    });
    expect(await world.client.status(caller, runs[0].tenantId)).toMatchObject({
      operation: { caller: { role: 'system' } },
    });
    for (const run of runs) expect(await world.outcome(run)).toBe('active');
    for (const run of runs) expect((await lookUntilSeen(run)).outcome).toBe('none');
  });
});

describe('the scheduled look', () => {
  it('looks at every tenant of every cell, stores what it found, and raises one alert for each finding', async () => {
    const run = await active();
    await shortenRetention(run);
    const check = (workflowId: string) =>
      world.temporal.workflow.execute<() => Promise<unknown>>(DRIFT_WORKFLOW, { taskQueue: TASK_QUEUE, workflowId });
    const alerts = () =>
      logged
        .map((line) => JSON.parse(line) as { alert?: string; tenantId?: string })
        .filter(({ alert, tenantId }) => alert === 'tenant-drift' && tenantId === run.tenantId);
    const looked = expect.any(Number) as number;
    const wanted = world.platform.cells.map(({ id }) => ({ cell: id, looked, drifting: looked, unknown: looked }));
    // A look of a busy machine may not see a step; the next one does.
    await until(async () => {
      expect(await check(`drift-check-${randomUUID()}`)).toEqual(wanted);
      return alerts().length > 0;
    });
    expect(alerts()).toMatchObject([{ findings: ['create_log_group:backend: changed retentionDays (repair)'] }]);
    expect(await world.client.drift(caller, run.tenantId)).toMatchObject({ drift: { state: 'drift', findings: 1 } });
    await check(`drift-check-${randomUUID()}`);
    expect(alerts()).toHaveLength(1);
  });
});

describe('tenantry drift', () => {
  let printed: string[] = [];
  beforeEach(() => {
    printed = [];
    for (const method of ['log', 'error'] as const)
      vi.spyOn(console, method).mockImplementation((text: unknown) => void printed.push(String(text)));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });
  async function tenantry(args: string[], database: Database = world.database) {
    printed = [];
    process.exitCode = undefined;
    const source = () => Promise.resolve({ drift: world.drift, database, close: () => Promise.resolve() });
    await buildProgram({ registrars: [(program) => registerDrift(program, source)] }).parseAsync(args, {
      from: 'user',
    });
    return { code: process.exitCode, text: printed.join('\n') };
  }

  it('ends with 0 where nothing differs, 1 where something does or nobody looked, 3 without such a tenant or cell', async () => {
    const run = await world.provision('moamalat');
    const busy = await tenantry(['drift', '--tenant', run.slug]);
    expect(busy).toMatchObject({ code: 1, text: expect.stringContaining('NOT LOOKED AT: an operation') as string });
    expect(await world.outcome(run)).toBe('active');
    await lookUntilSeen(run);
    const whole = await tenantry(['drift', '--tenant', run.slug]);
    expect(whole).toMatchObject({ code: 0, text: expect.stringContaining('nothing differs') as string });
    await shortenRetention(run);
    const differs = await tenantry(['drift', '--tenant', run.slug]);
    expect(differs.text).toContain(`to do   tenantry tenants repair moamalat/${run.slug}`);
    const { code, text } = await tenantry(['drift', '--tenant', `moamalat/${run.slug}`, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ looks: [{ tenantId: run.tenantId, outcome: 'drift' }] });
    for (const args of [
      ['--tenant', 'nobody'],
      ['--cell', 'nowhere'],
      ['resume', 'nowhere'],
    ])
      expect((await tenantry(['drift', ...args])).code).toBe(3);
  });

  it('resume says whether automatic repair was stopped, and ends with 5 when PostgreSQL cannot be reached', async () => {
    const cell = world.platform.cells[0]!.id;
    const json = async () => JSON.parse((await tenantry(['drift', 'resume', cell, '--json'])).text) as object;
    await stopDriftRepairs(world.database, cell, 'test');
    expect(await json()).toEqual({ cell, resumed: true });
    expect(await json()).toEqual({ cell, resumed: false });
    const gone = createDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
    expect((await tenantry(['drift', 'resume', cell], gone)).code).toBe(5);
    await gone.close();
  });
});

/** One of each sort. @returns what a look is to find, by step and field */
async function plantAll(run: Run) {
  const rule = await outputsOf(run, 'create_alb_rule:backend');
  await clients.elb.send(new DeleteRuleCommand({ RuleArn: String(rule['arn']) }));
  const frontRule = await outputsOf(run, 'create_alb_rule:frontend');
  const { arn: ownGroup } = await outputsOf(run, 'create_target_group:frontend');
  const otherGroup = String((await outputsOf(run, 'create_target_group:backend'))['arn']);
  const Actions = [{ Type: 'forward' as const, TargetGroupArn: otherGroup }];
  await clients.elb.send(new ModifyRuleCommand({ RuleArn: String(frontRule['arn']), Actions }));
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '300' }];
  await clients.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: otherGroup, Attributes }));
  const { name: logGroupName } = await outputsOf(run, 'create_log_group:backend');
  await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: String(logGroupName), retentionInDays: 1 }));
  await deleteAlias(run);
  await tenants.query(`alter role ${schemaName(run.tenantId)} connection limit 3`);
  await clients.ecs.send(new UpdateServiceCommand({ ...(await serviceOf(run, 'frontend')), desiredCount: 0 }));
  const { arn: revision } = await outputsOf(run, 'create_task_definition:backend');
  const taskDefinition = await registerLike(String(revision), `by-hand-${run.slug}`);
  await clients.ecs.send(new UpdateServiceCommand({ ...(await serviceOf(run, 'backend')), taskDefinition }));
  const changed = { is: 'changed', remedy: 'repair' };
  return [
    { stepId: 'create_alb_rule:backend', is: 'missing', field: `elbv2:rule ${hostOf(run)}/api/*`, remedy: 'repair' },
    { stepId: 'create_alb_rule:frontend', ...changed, field: 'targetGroupArn', wanted: ownGroup, found: [otherGroup] },
    { stepId: 'create_dns', is: 'missing', field: `route53:record ${hostOf(run)} A`, remedy: 'repair' },
    { stepId: 'create_log_group:backend', ...changed, field: 'retentionDays', wanted: 30, found: 1 },
    { stepId: 'create_schema', ...changed, field: 'role.connectionLimit', found: 3 },
    { stepId: 'create_target_group:backend', ...changed, field: 'deregistrationDelaySeconds', wanted: 30, found: 300 },
    { stepId: 'deploy_backend', ...changed, field: 'taskDefinitionArn', wanted: revision, found: taskDefinition },
    { stepId: 'deploy_frontend', ...changed, field: 'desiredCount', wanted: 1, found: 0 },
  ];
}

async function shortenRetention(run: Run): Promise<void> {
  const { name } = await outputsOf(run, 'create_log_group:backend');
  await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: String(name), retentionInDays: 1 }));
}

async function deleteAlias(run: Run): Promise<void> {
  const [cell] = world.platform.cells;
  const { canonicalHostedZoneId, dnsName } = cell!.loadBalancers[0]!;
  const AliasTarget = { HostedZoneId: canonicalHostedZoneId, DNSName: dnsName, EvaluateTargetHealth: false };
  const ResourceRecordSet = { Name: hostOf(run), Type: 'A' as const, AliasTarget };
  const Changes = [{ Action: 'DELETE' as const, ResourceRecordSet }];
  await clients.route53.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: cell!.hostedZone.id, ChangeBatch: { Changes } }),
  );
}

/** One more revision that is the same, of that family. */
async function registerLike(arn: string, family?: string): Promise<string> {
  const { taskDefinition: like } = await clients.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
  const { containerDefinitions, cpu, memory, networkMode, requiresCompatibilities, taskRoleArn, executionRoleArn } =
    like!;
  const made = await clients.ecs.send(
    new RegisterTaskDefinitionCommand({
      ...{ family: family ?? like!.family, containerDefinitions, cpu, memory, networkMode, requiresCompatibilities },
      ...{ taskRoleArn, executionRoleArn },
    }),
  );
  return made.taskDefinition!.taskDefinitionArn!;
}

async function typesOf(runs: readonly Run[]): Promise<string[]> {
  const statuses = await Promise.all(runs.map(({ tenantId }) => world.client.status(caller, tenantId)));
  return statuses.map(({ operation }) => operation.type);
}

/** Two are repaired at a time. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('not all tenants were repaired');
    await sleep(200);
  }
}

/** On a busy machine a call may get no answer in time, so that a look says nothing of its step. */
async function lookUntilSeen(run: Run) {
  for (let looks = 0; looks < 10; looks += 1) {
    const seen = await look(run);
    if (seen.unseen.length === 0) return seen;
  }
  throw new Error(`ten looks at tenant ${run.slug} did not see all of it`);
}

async function active(): Promise<Run> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return run;
}

async function look({ tenantId }: Run) {
  const seen = await world.drift.lookAtTenant(caller, tenantId, AbortSignal.timeout(60_000));
  return seen!;
}

async function expectNone(run: Run): Promise<void> {
  expect(await look(run)).toMatchObject({ outcome: 'none', findings: [], unseen: [] });
}

async function changesOf({ tenantId }: Run, change: string) {
  const events = await world.client.events(caller, tenantId, { after: 0, limit: 500 });
  return events.filter(({ type, data }) => type === 'tenant.drift' && data['change'] === change);
}

async function outputsOf({ tenantId }: Run, stepId: string): Promise<Readonly<Record<string, unknown>>> {
  const step = (await listSteps(world.database, tenantId)).find((one) => one.stepId === stepId);
  if (!step) throw new Error(`there is no step ${stepId}`);
  return step.outputs ?? {};
}

async function serviceOf(run: Run, component: string) {
  const { arn, name } = await outputsOf(run, `deploy_${component}`);
  return { cluster: String(arn).split('/')[1]!, service: String(name) };
}

function hostOf({ slug }: Run): string {
  return `${slug}.${world.platform.cells[0]!.domains.moamalat!}`;
}

function byStep<T extends { readonly stepId: string; readonly field: string }>(findings: readonly T[]): T[] {
  return [...findings].sort((a, b) => (`${a.stepId} ${a.field}` < `${b.stepId} ${b.field}` ? -1 : 1));
}
