import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSweep } from '../../src/sweep/sweep.ts';
import { seedTenant } from '../db/fixtures.ts';
import { containing } from '../api/matchers.ts';
import {
  findingsOf,
  ledgerRow,
  ledgerTenant,
  namesFor,
  plantAll,
  plantSchema,
  plantTargetGroup,
  report,
  someSlug,
  startSweepWorld,
  stranger,
  type SweepWorld,
} from './sweep-world.ts';

let world: SweepWorld;
beforeAll(async () => {
  world = await startSweepWorld();
  // The first event, so that there is something to mark.
  await ledgerTenant(world, 'deleted');
  await report(world, world.sweep);
});
afterAll(() => world.close());

describe('a leak', () => {
  it('is found by its mark, for every type, with its owner, and kept apart by class', async () => {
    const owner = stranger(world);
    const planted = await plantAll(world, owner);
    await plantSchema(world, owner);
    const found = findingsOf(await report(world, world.sweep), owner.tenantId);
    const ids = Object.fromEntries(found.map((f) => [f.type, f.physicalId]));
    expect(ids).toMatchObject({
      ...planted,
      'logs:log-group': containing(planted['logs:log-group']),
      'postgres:schema': `primary/${namesFor(owner).schema}`,
    });
    expect(new Set(found.map((f) => f.class))).toEqual(new Set(['leak']));
    for (const finding of found) {
      expect(finding.why).toContain('the ledger knows no tenant');
      expect(finding.owner).toMatchObject({ operationId: owner.tags['tenantry:operation-id'], stepId: 'planted' });
      // Data of a tenant that the ledger does not know is never taken away.
      expect(finding.removable, finding.type).toBe(finding.type !== 'postgres:schema');
    }
  });

  it('that came late, after its undo, is found though its tenant is known', async () => {
    const owner = await ledgerTenant(world, 'failed');
    const { logGroup } = namesFor(owner);
    await ledgerRow(world, owner, { type: 'logs:log-group', name: logGroup, state: 'removed' });
    await world.aws.logs.createLogGroup(logGroup, owner.tags);
    const [finding, ...more] = findingsOf(await report(world, world.sweep), owner.tenantId);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ class: 'leak', name: logGroup, removable: true });
    expect(finding?.why).toContain('a late effect');
  });

  it('is too young to be one within the lateness window', async () => {
    const owner = stranger(world);
    const { logGroup } = namesFor(owner);
    await world.aws.logs.createLogGroup(logGroup, owner.tags);
    const now = createSweep({ ...world.deps, now: () => new Date() });
    const young = await report(world, now);
    expect(findingsOf(young, owner.tenantId)).toEqual([]);
    expect(young.tooYoung).toContainEqual(
      expect.objectContaining({ type: 'logs:log-group', physicalId: containing(logGroup) }),
    );
    expect(findingsOf(await report(world, world.sweep), owner.tenantId)).toHaveLength(1);
  });

  it('is not one while an operation of its tenant is under way, or when a row holds it', async () => {
    const held = await ledgerTenant(world, 'active');
    const busy = await seedTenant(world.database, { slug: someSlug() });
    const names = { held: namesFor(held).logGroup, busy: `/ecs/moamalat-${busy.slug}-backend` };
    await ledgerRow(world, held, { type: 'logs:log-group', name: names.held, state: 'ready' });
    await world.aws.logs.createLogGroup(names.held, held.tags);
    const busyTags = { ...held.tags, 'tenantry:tenant-id': busy.tenantId };
    await world.aws.logs.createLogGroup(names.busy, busyTags);
    const seen = await report(world, world.sweep);
    expect(seen.findings.filter((f) => f.name === names.held || f.name === names.busy)).toEqual([]);
    expect(seen.tooYoung.find(({ physicalId }) => physicalId.includes(names.busy))?.why).toContain('is accepted');
  });

  it('is not for the sweep to take when Temporal remembers its tenant, or cannot be asked', async () => {
    const owner = stranger(world);
    await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const removable = async () => findingsOf(await report(world, world.sweep), owner.tenantId)[0]?.removable;
    expect(await removable()).toBe(true);
    world.temporalRuns.known.add(owner.tenantId);
    expect(await removable()).toBe(false);
    world.temporalRuns.known.clear();
    world.temporalRuns.isAway = true;
    expect(await removable()).toBe(false);
    world.temporalRuns.isAway = false;
  });

  it('is not for the sweep to take when its name is not one that we give: marks get copied', async () => {
    const owner = stranger(world);
    const name = '/ecs/somebody-elses-service';
    await world.aws.logs.createLogGroup(name, owner.tags);
    const arn = await plantTargetGroup(world, `t-${randomUUID().replaceAll('-', '').slice(0, 10)}-be`, owner.tags);
    const found = findingsOf(await report(world, world.sweep), owner.tenantId);
    expect(found.map((f) => [f.class, f.removable])).toEqual([
      ['leak', false],
      ['leak', false],
    ]);
    expect(found.map((f) => f.remedy).join()).toContain('copied our mark');
    await world.aws.logs.deleteLogGroup(name);
    await world.aws.loadBalancing.deleteTargetGroup(arn);
  });
});

describe('beside a thing that the ledger holds, under its name', () => {
  /** A living tenant whose things the ledger holds, each by its physical id. */
  async function heldTenant() {
    const owner = await ledgerTenant(world, 'active');
    const planted = await plantAll(world, owner);
    const names = namesFor(owner);
    const host = `${owner.slug}.${world.cell.hostedZone.name}`;
    const held = {
      'elbv2:rule': `${host}/api/*`,
      'elbv2:target-group': names.targetGroup,
      'ecs:task-definition': names.service,
      'secretsmanager:secret': names.secret,
    } as const;
    for (const [type, name] of Object.entries(held))
      await ledgerRow(world, owner, { type, name, state: 'ready', physicalId: planted[type as keyof typeof held] });
    await ledgerRow(world, owner, { type: 'logs:log-group', name: names.logGroup, state: 'ready' });
    await ledgerRow(world, owner, { type: 'route53:record', name: host, state: 'ready' });
    const secondRule = async (tags: Readonly<Record<string, string>>) => {
      const { httpsListenerArn: listenerArn } = world.cell.loadBalancers[0]!;
      const priority = 40_000 + Math.floor(Math.random() * 9_000);
      const forward = { host, paths: ['/api/*'], targetGroupArn: planted['elbv2:target-group'], tags };
      return (await world.aws.loadBalancing.createRule({ listenerArn, priority, ...forward }))!.arn;
    };
    const secondRevision = (tags: Readonly<Record<string, string>>) =>
      world.aws.ecs.registerTaskDefinition(
        { family: names.service, containerDefinitions: [{ name: 'app', image: 'nowhere/app:2', memory: 128 }] },
        tags,
      );
    return { owner, planted, names, secondRule, secondRevision };
  }
  const findingsNamed = async (...ids: string[]) =>
    (await report(world, world.sweep)).findings.filter((f) => ids.includes(f.physicalId));

  it('shows a rule that came late, and a rule and a revision without a mark, and takes none of them', async () => {
    const { owner, names, planted, secondRule, secondRevision } = await heldTenant();
    expect(findingsOf(await report(world, world.sweep), owner.tenantId)).toEqual([]);
    const late = await secondRule(owner.tags);
    const [unmarkedRule, unmarkedRevision] = [await secondRule({}), await secondRevision({})];
    const found = await findingsNamed(late, unmarkedRule, unmarkedRevision, ...Object.values(planted));
    expect(Object.fromEntries(found.map((f) => [f.physicalId, [f.class, f.removable]]))).toEqual({
      [late]: ['leak', false],
      [unmarkedRule]: ['unmarked', false],
      [unmarkedRevision]: ['unmarked', false],
    });
    const leak = found.find((f) => f.physicalId === late);
    expect(leak?.why).toContain(`another one of this name: ${planted['elbv2:rule']}`);
    expect(leak?.remedy).toContain('see which one serves');
    expect(found.find((f) => f.physicalId === unmarkedRevision)?.name).toBe(names.service);
  });

  it("shows a tenant's second revision, which came late, and may take it; not the one that the ledger names", async () => {
    const { owner, planted, secondRevision } = await heldTenant();
    const late = await secondRevision(owner.tags);
    const known = planted['ecs:task-definition'];
    const [found, ...others] = await findingsNamed(late, known);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ class: 'leak', physicalId: late, removable: true });
    expect(found?.why).toContain(`another one of this name: ${known}`);
    // The only one that is left stands in for the one that the ledger names.
    await world.aws.ecs.deregisterTaskDefinition(known);
    expect(await findingsNamed(late, known)).toEqual([]);
  });

  it('holds an earlier revision that a retry with another template made anew: it goes with its tenant', async () => {
    const { owner, planted, secondRevision } = await heldTenant();
    const earlier = await secondRevision(owner.tags);
    await world.database.query('update ledger set earlier_ids = array[$1] where tenant_id = $2 and type = $3', [
      earlier,
      owner.tags['tenantry:tenant-id'],
      'ecs:task-definition',
    ]);
    expect(await findingsNamed(earlier, planted['ecs:task-definition'])).toEqual([]);
  });

  it('takes what was made again by hand, with its mark, for what the ledger holds', async () => {
    const { owner, planted, secondRule } = await heldTenant();
    const remade = await secondRule(owner.tags);
    await world.aws.loadBalancing.deleteRule(planted['elbv2:rule']);
    expect(await findingsNamed(planted['elbv2:rule'], remade)).toEqual([]);
  });

  it('does not take another thing of the name for the one that is missing', async () => {
    const { planted, secondRule } = await heldTenant();
    const copy = await secondRule({});
    await world.aws.loadBalancing.deleteRule(planted['elbv2:rule']);
    const found = await findingsNamed(planted['elbv2:rule'], copy);
    expect(Object.fromEntries(found.map((f) => [f.physicalId, f.class]))).toEqual({
      [planted['elbv2:rule']]: 'missing',
      [copy]: 'unmarked',
    });
  });
});

describe('what bears no mark of ours', () => {
  it('is found by a name of our pattern, reported only', async () => {
    const slug = someSlug();
    const logGroup = `/ecs/moamalat-${slug}-frontend`;
    const targetGroup = `t-${randomUUID().replaceAll('-', '').slice(0, 10)}-fe`;
    await world.aws.logs.createLogGroup(logGroup, {});
    await plantTargetGroup(world, targetGroup, {});
    const found = (await report(world, world.sweep)).findings.filter((f) => [logGroup, targetGroup].includes(f.name));
    expect(found.map((f) => [f.class, f.removable]).sort()).toEqual([
      ['unmarked', false],
      ['unmarked', false],
    ]);
  });

  it('is only counted when it is of another installation, or foreign, however alike its name', async () => {
    const before = await report(world, world.sweep);
    const other = stranger({ installationId: randomUUID() });
    await plantAll(world, other);
    await plantSchema(world, other);
    const foreign = [
      '/ecs/moamalat',
      '/ecs/moamalat-company-x-backend',
      '/ecs/moamalat-x-worker',
      '/ecs/amoamalat-x-backend',
    ];
    for (const name of foreign) await world.aws.logs.createLogGroup(name, { team: 'others' });
    const after = await report(world, world.sweep);
    const ids = (r: typeof before) => r.findings.map((f) => f.id);
    expect(ids(after).filter((id) => !ids(before).includes(id))).toEqual([]);
    expect(after.counts.otherInstallations - before.counts.otherInstallations).toBeGreaterThanOrEqual(7);
    expect(after.counts.foreign - before.counts.foreign).toBe(foreign.length);
  });
});

describe('what has lost its mark', () => {
  const wasMade = true;
  const why = async (...names: string[]) => {
    const { findings } = await report(world, world.sweep);
    const found = findings.filter((f) => f.class === 'unmarked' && names.includes(f.physicalId));
    return Object.fromEntries(found.map((f) => [f.physicalId, f.why]));
  };

  it('is found though the ledger says that the very thing was removed', async () => {
    const owner = await ledgerTenant(world, 'deleted');
    const name = `other-name-${randomUUID().slice(0, 8)}`;
    const arn = await plantTargetGroup(world, name, {});
    await ledgerRow(world, owner, { type: 'elbv2:target-group', name, state: 'removed', physicalId: arn, wasMade });
    expect((await why(arn))[arn]).toMatch(
      new RegExp(`no mark.*this very thing was removed from tenant ${owner.tenantId}`),
    );
  });

  it("is found when it carries another installation's mark, held or removed", async () => {
    const owner = await ledgerTenant(world, 'failed');
    const planted = await plantAll(world, stranger({ installationId: randomUUID() }, owner.slug));
    const { service, targetGroup } = namesFor(owner);
    const [group, revision] = [planted['elbv2:target-group'], planted['ecs:task-definition']];
    await ledgerRow(world, owner, {
      type: 'elbv2:target-group',
      name: targetGroup,
      state: 'removing',
      physicalId: group,
      wasMade,
    });
    await ledgerRow(world, owner, {
      type: 'ecs:task-definition',
      name: service,
      state: 'removed',
      physicalId: revision,
      wasMade,
    });
    const host = `${owner.slug}.${world.cell.hostedZone.name}`;
    await ledgerRow(world, owner, { type: 'route53:record', name: host, state: 'removing', wasMade });
    const found = await why(group, revision, planted['route53:record'], planted['elbv2:rule']);
    expect(found).toEqual({
      [group]: containing('the ledger says that it is removing'),
      [revision]: containing('was removed'),
      [planted['route53:record']]: containing('the ledger says that it is removing'),
    });
  });

  it('is not taken for lost where nothing was made for sure', async () => {
    const owner = await ledgerTenant(world, 'failed');
    const planted = await plantAll(world, stranger({ installationId: randomUUID() }, owner.slug));
    const host = `${owner.slug}.${world.cell.hostedZone.name}`;
    await ledgerRow(world, owner, { type: 'route53:record', name: host, state: 'intended' });
    expect(await why(planted['route53:record'])).toEqual({});
  });
});

describe('the ledger', () => {
  it('is missing what it says is there', async () => {
    const owner = await ledgerTenant(world, 'active');
    const { logGroup, targetGroup } = namesFor(owner);
    const arn = `arn:aws:elasticloadbalancing:us-east-1:${world.cell.accountId}:targetgroup/${targetGroup}/0123456789abcdef`;
    await ledgerRow(world, owner, { type: 'logs:log-group', name: logGroup, state: 'ready' });
    await ledgerRow(world, owner, { type: 'elbv2:target-group', name: targetGroup, state: 'ready', physicalId: arn });
    const found = findingsOf(await report(world, world.sweep), owner.tenantId);
    expect(found.map((f) => [f.class, f.name, f.removable]).sort()).toEqual([
      ['missing', logGroup, false],
      ['missing', targetGroup, false],
    ]);
  });

  it('still holds what an abandoned operation left, with the command that finishes it', async () => {
    const owner = await ledgerTenant(world, 'failed');
    await ledgerRow(world, owner, { type: 'ecs:service', name: namesFor(owner).service, state: 'removing' });
    const found = findingsOf(await report(world, world.sweep), owner.tenantId);
    expect(found).toMatchObject([{ class: 'left', type: 'ecs:service', removable: false }]);
    expect(found[0]?.why).toContain('abandoned');
    expect(found[0]?.remedy).toContain(`tenants delete ${owner.tenantId}`);
  });

  it('names no command that removes what an older database calls left of a tenant that may be live', async () => {
    const owner = await ledgerTenant(world, 'failed');
    await ledgerRow(world, owner, { type: 'ecs:service', name: namesFor(owner).service, state: 'ready' });
    const failure = JSON.stringify({ code: 'DATABASE_BEHIND', message: 'its run COMPLETED in Temporal' });
    for (const state of ['abandoned', 'stuck']) {
      await world.database.query(
        `update operations set failure = $2::jsonb, state = $3, closed_at = case when $3 = 'stuck' then null else now() end
         where tenant_id = $1`,
        [owner.tenantId, failure, state],
      );
      const found = findingsOf(await report(world, world.sweep), owner.tenantId);
      expect(found.map((f) => f.class).sort()).toEqual(state === 'stuck' ? ['left'] : ['left', 'missing']);
      for (const { remedy } of found) {
        expect(remedy).toContain('docs/backup.md');
        expect(remedy).not.toMatch(/delete|retry/);
      }
    }
  });

  it('holds places that nobody takes any more, and keeps those that somebody does', async () => {
    const { httpsListenerArn: listener } = world.cell.loadBalancers[0]!;
    const targetGroupArn = await plantTargetGroup(world, `foreign-${randomUUID().slice(0, 8)}`, {});
    const place = { listenerArn: listener, host: 'foreign.example.com', paths: [], targetGroupArn, tags: {} };
    await world.aws.loadBalancing.createRule({ ...place, priority: 49_990 });
    const deleted = await ledgerTenant(world, 'deleted');
    await world.database.query(
      `insert into allocations (cell, kind, scope, key, tenant_id) values
         ('default', 'rule-priority', $1, '49990', null), ('default', 'rule-priority', $1, '49991', null),
         ('default', 'host-name', 'zone', 'gone.example.com', $2)`,
      [listener, deleted.tenantId],
    );
    const stale = (await report(world, world.sweep)).findings.filter((f) => f.class === 'stale-allocation');
    expect(stale.map((f) => f.name).sort()).toEqual(['host-name gone.example.com', 'rule-priority 49991']);
  });

  it('shows a lost run, and says since when each finding is seen', async () => {
    const owner = await seedTenant(world.database, { slug: someSlug() });
    world.temporalRuns.lost.push({
      operationId: owner.operationId,
      cell: world.cell.id,
      tenantId: owner.tenantId,
      product: 'moamalat',
      workflowId: `tenant.moamalat.${owner.slug}`,
      runId: 'run-1',
      why: 'its run was terminated',
    });
    const first = findingsOf(await report(world, world.sweep), owner.tenantId);
    const second = findingsOf(await report(world, world.sweep), owner.tenantId);
    expect(first).toMatchObject([{ class: 'lost-run', physicalId: owner.operationId, removable: true }]);
    expect(second).toEqual(first);
    world.temporalRuns.lost.length = 0;
    expect(findingsOf(await report(world, world.sweep), owner.tenantId)).toEqual([]);
  });

  it('is not judged by what could not be listed', async () => {
    const owner = await ledgerTenant(world, 'active');
    await ledgerRow(world, owner, { type: 'logs:log-group', name: namesFor(owner).logGroup, state: 'ready' });
    const gone = { ...world.cell, loadBalancers: [{ ...world.cell.loadBalancers[0]!, httpsListenerArn: 'arn:gone' }] };
    const { inventory, ...rest } = world.aws;
    const aws = () => ({ ...rest, inventory: { ...inventory, logGroups: failing, rules: failing } });
    const blind = createSweep({ ...world.deps, aws, platform: { version: 1, cells: [gone] } });
    const seen = await report(world, blind);
    expect(seen.problems.map((p) => p.what)).toEqual(expect.arrayContaining(['elbv2:rule', 'logs:log-group']));
    expect(findingsOf(seen, owner.tenantId)).toEqual([]);
    expect(findingsOf(await report(world, world.sweep), owner.tenantId)).toHaveLength(1);
  });

  it('is told of for each type that no loaded kind makes, instead of looking clean', async () => {
    const [owner, elsewhere] = [await ledgerTenant(world, 'active'), await ledgerTenant(world, 'active')];
    for (const name of ['a', 'b']) await ledgerRow(world, owner, { type: 'sqs:queue', name, state: 'ready' });
    await ledgerRow(world, owner, { type: 's3:bucket', name: 'gone', state: 'removed' });
    await ledgerRow(world, elsewhere, { type: 'sns:topic', name: 'c', state: 'ready' });
    await world.database.query(`update ledger set cell = 'other' where tenant_id = $1`, [elsewhere.tenantId]);
    const { problems } = await report(world, world.sweep);
    expect(problems).toEqual([{ what: 'sqs:queue', message: containing('the ledger holds 2 of it') }]);
    await world.database.query('delete from ledger where tenant_id = any ($1)', [[owner.tenantId, elsewhere.tenantId]]);
  });
});

/** A type whose API denies. */
const failing = {
  list: () => Promise.reject(new Error('AccessDenied')),
  find: () => Promise.reject(new Error('AccessDenied')),
};
