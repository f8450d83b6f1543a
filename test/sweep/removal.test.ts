import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SweepRemoval, SweepReport } from '../../src/contracts/sweep.ts';
import { createSweep } from '../../src/sweep/sweep.ts';
import { containing } from '../api/matchers.ts';
import {
  findingsOf,
  ledgerRow,
  ledgerTenant,
  namesFor,
  plantAll,
  plantLogin,
  plantSchema,
  plantServing,
  report,
  someSlug,
  startSweepWorld,
  stranger,
  type PlantedType,
  type Stranger,
  type SweepWorld,
} from './sweep-world.ts';
import { seedTenant } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await startSweepWorld();
  await ledgerTenant(world, 'deleted');
  expect((await report(world, world.sweep)).mark.state).toBe('intact');
});
afterAll(() => world.close());

let owner: Stranger;
beforeEach(() => {
  owner = stranger(world);
});

/** A report with these owners' removable findings approved, and nothing else. */
async function approvedFor(...owners: { tenantId: string }[]): Promise<SweepReport> {
  const made = await report(world, world.sweep);
  const only = owners.flatMap(({ tenantId }) => findingsOf(made, tenantId)).flatMap((f) => (f.removable ? f.id : []));
  return world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
}

function remove(reportId: string, limit = 20) {
  return world.sweep.remove(testCaller, { reportId, by: 'Grace', limit });
}

const outcomes = (removals: readonly SweepRemoval[]) => removals.map((r) => `${r.type} ${r.outcome}`);
const left = async (tenantId: string) =>
  findingsOf(await report(world, world.sweep), tenantId)
    .map((f) => f.type)
    .sort();

/** A login that is there though the ledger says that it was removed. */
async function leftLogin(tenant: Stranger & { readonly operationId: string }) {
  const { secret, ...login } = await plantLogin(world, tenant);
  await ledgerRow(world, tenant, { type: 'postgres:login', name: login.name, state: 'removed' });
  await ledgerRow(world, tenant, { type: 'secretsmanager:secret', name: secret, state: 'removed' });
  return login;
}

describe('a removal', () => {
  it("takes a living tenant's revision that came late, and neither the one that the ledger names nor one that a service runs", async () => {
    const tenant = await ledgerTenant(world, 'active');
    const planted = await plantServing(world, tenant);
    const type = 'ecs:task-definition';
    const name = namesFor(tenant).service;
    // A circuit breaker went back to an earlier revision than the one that the ledger names.
    await ledgerRow(world, tenant, { type, name, state: 'ready', physicalId: planted[type] });
    const late = await world.aws.ecs.registerTaskDefinition(
      { family: name, containerDefinitions: [{ name: 'app', image: 'nowhere/app:3', memory: 128 }] },
      tenant.tags,
    );
    const made = await report(world, world.sweep);
    const revisions = findingsOf(made, tenant.tenantId).filter((finding) => finding.type === type);
    expect(revisions.map(({ physicalId }) => physicalId)).toEqual([late]);
    const { id } = await world.sweep.approve(testCaller, {
      reportId: made.id,
      by: 'Ada',
      only: revisions.map((f) => f.id),
    });
    expect(outcomes((await remove(id)).removals)).toEqual(['ecs:task-definition removed']);
    const active = await world.aws.ecs.findRevisions(name, 'ACTIVE');
    expect(active.map(({ arn }) => arn).sort()).toEqual([planted[type], planted['running-revision']].sort());
    await world.aws.ecs.deleteService(name);
  });

  it('takes what was approved, what points at something first, and writes down who and what', async () => {
    await plantAll(world, owner);
    const approved = await approvedFor(owner);
    const { removals, left: notCome } = await remove(approved.id);
    expect(outcomes(removals)).toEqual([
      'route53:record removed',
      'elbv2:rule removed',
      'elbv2:target-group removed',
      'ecs:task-definition removed',
      'logs:log-group removed',
      'secretsmanager:secret removed',
    ]);
    expect(notCome).toBe(0);
    // INACTIVE revisions and a secret in its recovery window are no leaks.
    expect(await left(owner.tenantId)).toEqual([]);
    const trail = (await world.sweep.show(approved.id)).removals;
    expect(trail.map((row) => row.outcome)).toEqual(removals.flatMap(() => ['begun', 'removed']));
    expect(trail.every((row) => row.approvedBy === 'Ada' && row.removedBy === 'Grace')).toBe(true);
    expect(trail.every((row) => row.caller?.requestId === testCaller.requestId)).toBe(true);
    expect((await world.sweep.show(approved.id)).report).toMatchObject({
      caller: testCaller,
      approval: { by: 'Ada', caller: testCaller },
    });
    expect(await remove(approved.id)).toEqual({ removals: [], left: 0, notCome: [] });
    await expect(world.database.query('delete from sweep_removals')).rejects.toThrow('append-only');
  });

  it('takes what the ledger knows under a domain that the platform no longer names, and no stranger there', async () => {
    const tenant = await ledgerTenant(world, 'deleted');
    const host = `${tenant.slug}.${world.cell.hostedZone.name}`;
    const planted = await plantAll(world, tenant);
    await plantAll(world, owner);
    const row = (type: PlantedType, name: string) =>
      ledgerRow(world, tenant, { type, name, state: 'removed', physicalId: planted[type], wasMade: true });
    await row('elbv2:rule', `${host}/api/*`);
    await row('route53:record', host);
    const moved = { ...world.cell, domains: { moamalat: `new.${world.cell.hostedZone.name}` } };
    const sweep = createSweep({ ...world.deps, platform: { ...world.deps.platform, cells: [moved] } });
    const made = await report(world, sweep);
    const ofHost = (tenantId: string) =>
      findingsOf(made, tenantId).filter(({ type }) => type === 'elbv2:rule' || type === 'route53:record');
    expect(ofHost(owner.tenantId).map(({ removable }) => removable)).toEqual([false, false]);
    expect(ofHost(owner.tenantId)[0]?.remedy).toMatch(/or the platform named another domain then$/);
    const only = ofHost(tenant.tenantId).map(({ id }) => id);
    await sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
    const { removals } = await sweep.remove(testCaller, { reportId: made.id, by: 'Grace' });
    expect(outcomes(removals)).toEqual(['route53:record removed', 'elbv2:rule removed']);
    await remove((await approvedFor(owner, tenant)).id);
  });

  it('leaves what is of another installation or foreign untouched, and what was not approved', async () => {
    const other = stranger({ installationId: randomUUID() }, owner.slug);
    const otherNames = namesFor(other);
    await world.aws.logs.createLogGroup(otherNames.logGroup, other.tags);
    const second = stranger(world);
    await world.aws.logs.createLogGroup(namesFor(second).logGroup, second.tags);
    const third = stranger(world);
    await world.aws.logs.createLogGroup(namesFor(third).logGroup, third.tags);
    await remove((await approvedFor(third)).id);
    expect(await world.aws.logs.findLogGroup(otherNames.logGroup)).toBeDefined();
    expect(await left(second.tenantId)).toEqual(['logs:log-group']);
    expect(await left(third.tenantId)).toEqual([]);
    await remove((await approvedFor(second)).id);
  });

  it('is done a few things at a time, in order, and goes on with the next run', async () => {
    await plantAll(world, owner);
    const approved = await approvedFor(owner);
    const first = await remove(approved.id, 2);
    expect(outcomes(first.removals)).toEqual(['route53:record removed', 'elbv2:rule removed']);
    expect(first.left).toBe(4);
    for (const limit of [0, 21, 1.5]) await expect(remove(approved.id, limit)).rejects.toThrow('1 to 20');
    const byDefault = await world.sweep.remove(testCaller, { reportId: approved.id, by: 'Grace' });
    expect(byDefault.removals).toHaveLength(4);
  });

  it('needs an approval, of a report that is not old, once', async () => {
    await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const made = await report(world, world.sweep);
    await expect(remove(made.id)).rejects.toThrow('is not approved');
    await expect(world.sweep.approve(testCaller, { reportId: made.id, by: ' ' })).rejects.toThrow(
      'name of who approves',
    );
    await expect(world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only: ['nothing'] })).rejects.toThrow(
      'no finding',
    );
    const only = findingsOf(made, owner.tenantId).map((f) => f.id);
    const dayLater = world.later(24 * 60 * 60_000);
    await expect(dayLater.approve(testCaller, { reportId: made.id, by: 'Ada', only })).rejects.toThrow(
      'older than 24 h',
    );
    await world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
    await expect(world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada' })).rejects.toThrow('approved already');
    await expect(dayLater.remove(testCaller, { reportId: made.id, by: 'Grace' })).rejects.toThrow('older than 24 h');
    await expect(remove(randomUUID())).rejects.toThrow('there is no sweep report');
    await expect(world.database.query(`update sweep_reports set findings = '[]'`)).rejects.toThrow('approval only');
    expect(await left(owner.tenantId)).toEqual(['logs:log-group']);
    await remove(made.id);
  });

  it('skips what changed since the report, and what is gone', async () => {
    const { logGroup } = namesFor(owner);
    const second = stranger(world);
    await world.aws.logs.createLogGroup(logGroup, owner.tags);
    await world.aws.logs.createLogGroup(namesFor(second).logGroup, second.tags);
    const approved = await approvedFor(owner, second);
    await world.aws.logs.setRetention(logGroup, 7);
    await world.aws.logs.deleteLogGroup(namesFor(second).logGroup);
    const { removals } = await remove(approved.id);
    const byOutcome = Object.fromEntries(removals.map((r) => [r.outcome, r.detail]));
    expect(byOutcome).toMatchObject({ skipped: containing('changed since'), gone: containing('not there') });
    expect(await world.aws.logs.findLogGroup(logGroup)).toBeDefined();
    await world.aws.logs.deleteLogGroup(logGroup);
  });

  it('skips what the ledger holds by now, what an operation is at, and whom Temporal remembers', async () => {
    const known = await ledgerTenant(world, 'failed');
    const { logGroup } = namesFor(known);
    await ledgerRow(world, known, { type: 'logs:log-group', name: logGroup, state: 'removed' });
    await world.aws.logs.createLogGroup(logGroup, known.tags);
    await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const [first, second, third] = [await approvedFor(known), await approvedFor(known), await approvedFor(owner)];
    const detailOf = async (id: string) => {
      const { removals } = await remove(id);
      return removals.map((r) => `${r.outcome}: ${r.detail}`).join();
    };
    await world.database.query(`update ledger set state = 'intended' where tenant_id = $1`, [known.tenantId]);
    expect(await detailOf(first.id)).toBe('skipped: the ledger holds it');
    await world.database.query(`update ledger set state = 'removed' where tenant_id = $1`, [known.tenantId]);
    await world.database.query(`update operations set state = 'stuck', closed_at = null where id = $1`, [
      known.operationId,
    ]);
    expect(await detailOf(second.id)).toContain('of its tenant is open');
    world.temporalRuns.known.add(owner.tenantId);
    expect(await detailOf(third.id)).toContain('the ledger has lost it');
    world.temporalRuns.known.clear();
    expect(await world.aws.logs.findLogGroup(logGroup)).toBeDefined();
    expect(await world.aws.logs.findLogGroup(namesFor(owner).logGroup)).toBeDefined();
    await remove(third.id);
  });

  it('never takes what serves healthy targets', async () => {
    await plantServing(world, owner);
    const before = await left(owner.tenantId);
    expect(before).toEqual(
      expect.arrayContaining(['ecs:service', 'elbv2:target-group', 'elbv2:rule', 'route53:record']),
    );
    const approved = await approvedFor(owner);
    const { removals } = await remove(approved.id);
    const why = Object.fromEntries(removals.map((r) => [r.physicalId, `${r.type} ${r.outcome}: ${r.detail}`]));
    const serving = Object.values(why).filter((text) => /^(route53|elbv2|ecs:service|logs)/.test(text));
    expect(serving).toHaveLength(5);
    for (const text of serving) expect(text).toMatch(/skipped: it is in use/);
    // Of the two revisions the service runs one; the other is nobody's, and neither is the secret.
    expect(
      outcomes(removals)
        .filter((o) => o.endsWith('removed'))
        .sort(),
    ).toEqual(['ecs:task-definition removed', 'secretsmanager:secret removed']);
    expect((await world.aws.ecs.findService(namesFor(owner).service))?.runningCount).toBe(1);
    await world.aws.ecs.deleteService(namesFor(owner).service);
  });

  it('never takes what serves unhealthy targets alone: the load balancer sends to them all the same', async () => {
    await plantServing(world, owner, 'unhealthy');
    const { removals } = await remove((await approvedFor(owner)).id);
    const skipped = removals.filter((r) => r.outcome === 'skipped').map((r) => `${r.type}: ${r.detail}`);
    for (const type of ['route53:record', 'elbv2:rule', 'ecs:service', 'elbv2:target-group'])
      expect(skipped.find((text) => text.startsWith(type))).toContain('is unhealthy, as all are');
    await world.aws.ecs.deleteService(namesFor(owner).service);
  });

  it("keeps a record's mark as long as anything else is at its host", async () => {
    const planted = await plantAll(world, owner);
    const { id: zone, name: zoneName } = world.cell.hostedZone;
    const name = `${owner.slug}.${zoneName}`;
    const { dns } = world.aws;
    const [own] = await dns.findRecords(zone, name);
    const alias = { ...own!.alias!, dnsName: 'left-the-cell.us-east-1.elb.amazonaws.com' };
    await dns.change(zone, [
      { action: 'DELETE', record: own! },
      { action: 'CREATE', record: { name, type: 'A', values: [], alias } },
    ]);
    const { removals } = await remove((await approvedFor(owner)).id);
    const record = removals.find((r) => r.physicalId === planted['route53:record']);
    expect(record).toMatchObject({ outcome: 'skipped', detail: containing('left-the-cell.us-east-1') });
    expect(await dns.findRecords(zone, `_tenantry.${name}`)).toHaveLength(1);
  });

  it('drops a schema before its secret goes, and keeps the secret of one that stays', async () => {
    const tenants = { never: await ledgerTenant(world, 'failed'), once: await ledgerTenant(world, 'failed') };
    for (const tenant of Object.values(tenants)) {
      await plantSchema(world, tenant);
      const secret = { name: namesFor(tenant).secret, value: 'planted', tags: tenant.tags, token: randomUUID() };
      await world.aws.secrets.ensureSecret(secret);
    }
    const approved = await approvedFor(...Object.values(tenants));
    await world.database.query('update tenants set activated_at = now() where id = $1', [tenants.once.tenantId]);
    const { removals } = await remove(approved.id);
    const of = ({ tenantId }: Stranger) =>
      removals
        .filter((r) => r.physicalId.includes(tenantId) || r.physicalId.endsWith(tenantId.replaceAll('-', '')))
        .map((r) => `${r.type} ${r.outcome}`);
    expect(of(tenants.never)).toEqual(['postgres:schema removed', 'secretsmanager:secret removed']);
    expect(of(tenants.once)).toEqual(['postgres:schema skipped', 'secretsmanager:secret skipped']);
  });

  it('drops the schema of a tenant that never was active, and never one that was', async () => {
    const never = await ledgerTenant(world, 'failed');
    const once = await ledgerTenant(world, 'failed');
    await plantSchema(world, never);
    await plantSchema(world, once);
    const approved = await approvedFor(never, once);
    expect(approved.approval?.findings).toHaveLength(2);
    // It got active between the approval and the removal.
    await world.database.query('update tenants set activated_at = now() where id = $1', [once.tenantId]);
    const { removals } = await remove(approved.id);
    const of = (tenant: Stranger) => removals.find((r) => r.physicalId.endsWith(namesFor(tenant).schema));
    expect(of(never)).toMatchObject({ outcome: 'removed' });
    expect(of(once)).toMatchObject({ outcome: 'skipped', detail: containing('may hold data') });
    expect(await world.tenantDatabases.listMarked('primary', namesFor(never).schema)).toEqual([]);
    expect(await world.tenantDatabases.listMarked('primary', namesFor(once).schema)).toHaveLength(1);
    const seen = findingsOf(await report(world, world.sweep), once.tenantId);
    expect(seen.map((f) => [f.type, f.removable])).toEqual([['postgres:schema', false]]);
  });

  it('drops a login that a rotation left, with its password, beside the schema of a tenant that stays', async () => {
    const tenant = await ledgerTenant(world, 'active');
    await plantSchema(world, tenant);
    const { name } = await leftLogin(tenant);
    const approved = await approvedFor(tenant);
    const { removals } = await remove(approved.id);
    expect(outcomes(removals)).toEqual(['postgres:login removed', 'secretsmanager:secret removed']);
    expect(await world.tenantDatabases.listLogins('primary', name)).toEqual([]);
    expect(await world.tenantDatabases.listMarked('primary', namesFor(tenant).schema)).toHaveLength(1);
  });

  it('keeps a password as long as the login that it opens', async () => {
    const tenant = await ledgerTenant(world, 'active');
    await plantSchema(world, tenant);
    const login = await leftLogin(tenant);
    const { hostname: host, port, pathname } = new URL(world.databases.tenantUrl);
    const session = new pg.Client({ ...login, host, port: Number(port), database: pathname.slice(1) });
    await session.connect();
    const { removals } = await remove((await approvedFor(tenant)).id);
    await session.end();
    expect(outcomes(removals)).toEqual(['postgres:login skipped', 'secretsmanager:secret skipped']);
    expect(removals[1]?.detail).toContain(`role ${login.name} is there, which it opens`);
  });

  it('keeps a password as long as the schema that it opens', async () => {
    await plantSchema(world, owner);
    const { secret } = namesFor(owner);
    const token = randomUUID();
    await world.aws.secrets.ensureSecret({ name: secret, value: 'planted', tags: owner.tags, token });
    const { removals } = await remove((await approvedFor(owner)).id);
    expect(removals).toMatchObject([{ type: 'secretsmanager:secret', outcome: 'skipped' }]);
    expect(removals[0]?.detail).toContain('which it opens');
  });

  it('finishes a lost run, and frees a place that nobody takes', async () => {
    const lost = await seedTenant(world.database, { slug: someSlug() });
    world.temporalRuns.lost.push({
      operationId: lost.operationId,
      cell: world.cell.id,
      tenantId: lost.tenantId,
      product: 'moamalat',
      workflowId: `tenant.moamalat.${lost.slug}`,
      runId: 'run-1',
      why: 'its run was terminated',
    });
    const deleted = await ledgerTenant(world, 'deleted');
    await world.database.query(
      `insert into allocations (cell, kind, scope, key, tenant_id) values ('default', 'host-name', 'zone', $1, $2)`,
      [someSlug(), deleted.tenantId],
    );
    const approved = await approvedFor(lost, deleted);
    const { removals } = await remove(approved.id);
    expect(outcomes(removals)).toEqual(['operation removed', 'allocation removed']);
    // Each is on record before it is done: a crash in between must not lose it.
    const trail = (await world.sweep.show(approved.id)).removals.map((row) => `${row.type} ${row.outcome}`);
    expect(trail).toEqual(['operation begun', 'operation removed', 'allocation begun', 'allocation removed']);
    expect(world.temporalRuns.finished).toEqual([lost.operationId]);
    const places = await world.database.query('select from allocations where tenant_id = $1', [deleted.tenantId]);
    expect(places.rowCount).toBe(0);
  });
});
