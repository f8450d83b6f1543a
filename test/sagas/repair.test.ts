import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { listLedger, type LedgerRow } from '../../src/db/ledger.ts';
import { listSteps } from '../../src/db/steps.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { damage, deleteSecret, inTenantDatabase, type ByHand } from '../support/by-hand.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

describe.concurrent('a repair', () => {
  it('brings back what was changed and deleted by hand, and the tenant answers again', async () => {
    const atFirst = await world.inventory();
    const { run, host } = await active();
    const [before, made] = [await shapeNow(world, run), await madeAtOf(run)];
    await damage(await byHand(run));
    expect(shapeDifference(before, await shapeNow(world, run)).length).toBeGreaterThan(4);
    const accepted = await world.client.repairTenant(caller, run.tenantId, { reason: 'changed by hand' });
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({
      status: 'active',
      cleanupPending: false,
      operation: { operationId: accepted.operationId, type: 'repair', state: 'succeeded' },
    });
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    expect(await ask(host)).toMatchObject({ status: 200 });
    const now = await madeAtOf(run);
    const remade = [...now].flatMap(([thing, at]) => (made.get(thing) === at ? [] : [thing]));
    expect(remade.map((thing) => thing.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      'create_alb_rule:backend elbv2:rule',
      'create_task_definition:backend ecs:task-definition',
      'deploy_frontend ecs:service',
    ]);
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    // Every residue that AWS shows is named, deleted services too.
    await expectNothingLeft(world, run, atFirst);
    const { certificate } = await world.client.certificate(caller, run.tenantId);
    const certified = certificate.residues.map(({ type }) => type);
    expect(certified.filter((type) => type === 'ecs:service')).toHaveLength(2);
    const certifiedTimes = certificate.resources.map(({ name, stepId, type, madeAt: at }) => [
      thingOf({ name, stepId, type }),
      at,
    ]);
    expect(new Map(certifiedTimes as [string, string][])).toEqual(now);
  });

  it.each(['create_schema', 'create_login:2'])('gives the tasks the secret of %s that it made anew', async (stepId) => {
    const { run, host } = await active();
    if (stepId !== 'create_schema') {
      await world.client.rotateTenant(caller, run.tenantId, {});
      expect(await world.outcome(run)).toBe('active');
    }
    const before = await shapeNow(world, run);
    await deleteSecret(await byHand(run), stepId);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    // A revision that the tasks run no more stays for the way back.
    const more = shapeDifference(before, await shapeNow(world, run)).filter((line) => !/^[-+] ecs:task-def/.test(line));
    expect(more).toEqual([]);
    expect(await askTenant(world.platform, host, '/api/notes')).toMatchObject({ status: 200 });
    const seen = await world.drift.lookAtTenant(caller, run.tenantId, new AbortController().signal);
    expect(seen).toMatchObject({ outcome: 'none', findings: [] });
    // The next change finds all as it is to be.
    const { done } = await world.client.changeTenant(caller, run.tenantId, { refresh: true });
    expect([done, await world.outcome(run)]).toEqual([false, 'active']);
    expect(await askTenant(world.platform, host, '/api/notes')).toMatchObject({ status: 200 });
  });

  it('does what its preview says, and leaves alone what is as it was, a scaled count too', async () => {
    const { run } = await active();
    const scaled = await world.client.scaleTenant(caller, run.tenantId, { service: 'backend', count: 2 });
    expect([scaled.done, await world.outcome(run)]).toEqual([false, 'active']);
    const before = await shapeNow(world, run);
    const preview = await world.client.previewRepair(caller, run.tenantId);
    const { operationId } = await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
    const walked = events.filter((event) => event.operationId === operationId && event.type === 'step.ready');
    const said = preview.steps.filter(({ becomes }) => becomes === 'change').map(({ stepId }) => stepId);
    expect(new Set(walked.map(({ stepId }) => stepId))).toEqual(new Set(said));
    expect(said).not.toContain('finalize');
    // The next update goes by what the repair left.
    const settings = { services: { backend: { count: 1 } } };
    await world.client.changeTenant(caller, run.tenantId, { settings });
    expect(await world.outcome(run)).toBe('active');
  });

  it('that cannot bring something back gets stuck with its name, goes on after a retry, and is over once abandoned', async () => {
    const { run } = await active();
    const before = await shapeNow(world, run);
    await damage(await byHand(run));
    const stepId = 'create_alb_rule:backend';
    const fault = { slug: run.slug, stepId, verb: 'ensure', when: 'before', goesBack: true } as const;
    world.injection.faults = [...world.injection.faults, fault];
    await world.client.repairTenant(caller, run.tenantId, {});
    const stuck = await world.until(run, 'stuck');
    expect(stuck).toMatchObject({
      status: 'updating',
      // What needs it is not brought back either.
      leftovers: expect.arrayContaining([
        expect.objectContaining({ stepId: fault.stepId, code: 'INVALID_REQUEST' }),
      ]) as unknown,
    });
    world.injection.faults = world.injection.faults.filter((other) => other !== fault);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);

    world.injection.faults = [...world.injection.faults, fault];
    await world.client.repairTenant(caller, run.tenantId, {});
    await world.until(run, 'stuck');
    await world.client.abandon(caller, run.tenantId, { reason: 'later' });
    expect(await world.outcome(run)).toBe('abandoned');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: true });
    world.injection.faults = world.injection.faults.filter((other) => other !== fault);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
  });

  it("whose tenant's data is gone makes no empty schema, calls it missing and not left, and a repair brings all back once the data is restored", async () => {
    const { run, host } = await active();
    const [before, schema] = [await shapeNow(world, run), await schemaOf(run)];
    const mark = `obj_description('${schema}'::regnamespace, 'pg_namespace') as mark`;
    const [comment] = await inTenantDatabase(world.sources, `select ${mark}`);
    await inTenantDatabase(world.sources, `alter schema "${schema}" rename to "${schema}_away"`);
    await inTenantDatabase(world.sources, `comment on schema "${schema}_away" is null`);
    await inTenantDatabase(world.sources, `alter schema "${schema}_away" owner to current_user`);
    await world.client.repairTenant(caller, run.tenantId, {});
    const stuck = await world.until(run, 'stuck');
    expect(stuck.leftovers).toContainEqual(
      expect.objectContaining({ stepId: 'create_schema', code: 'DATA_LOST', condition: 'missing' }),
    );
    // Nobody has touched what needs it.
    const others = stuck.leftovers?.filter(({ stepId }) => stepId !== 'create_schema') ?? [];
    expect(others.length).toBeGreaterThan(0);
    expect(new Set(others.map(({ condition }) => condition))).toEqual(new Set(['not-looked-at']));
    expect(others.every(({ reason }) => reason.startsWith('not looked at, so it may be as it was applied'))).toBe(true);
    expect(stuck.attention?.choices.map(({ verb }) => verb)).toEqual(['retry', 'abandon', 'delete']);
    expect(stuck.attention?.choices.at(-1)?.effect).toContain('deletes the tenant');
    await world.client.abandon(caller, run.tenantId, { reason: 'the backup takes a day' });
    expect(await world.outcome(run)).toBe('abandoned');
    const serving = await world.client.status(caller, run.tenantId);
    expect(serving).toMatchObject({ status: 'active', cleanupPending: true, unsettled: 'missing' });
    expect(serving.outcome?.message).toMatch(/; something is missing$/);
    expect(serving.attention?.choices.map(({ verb }) => verb)).toEqual(['repair', 'delete']);
    expect(serving.attention?.advice).toMatchObject([
      { code: 'DATA_LOST', text: expect.stringContaining('docs/backup.md') as unknown },
    ]);
    const { tenants } = await world.client.list(caller, { slug: run.slug, limit: 1 });
    expect(tenants).toMatchObject([{ unsettled: 'missing' }]);
    expect(await inTenantDatabase(world.sources, `select from pg_namespace where nspname = '${schema}'`)).toEqual([]);
    await inTenantDatabase(world.sources, `alter schema "${schema}_away" owner to "${schema}"`);
    await inTenantDatabase(world.sources, `alter schema "${schema}_away" rename to "${schema}"`);
    await inTenantDatabase(world.sources, `comment on schema "${schema}" is '${String(comment?.['mark'])}'`);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ cleanupPending: false, unsettled: null });
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    expect(await ask(host)).toMatchObject({ status: 200 });
  });

  it('brings no tenant migrations: they belong to another release than the one that runs', async () => {
    const { run } = await active();
    const schema = await schemaOf(run);
    await inTenantDatabase(world.sources, `delete from "${schema}".schema_migrations where name like '0002%'`);
    await inTenantDatabase(world.sources, `drop table "${schema}".settings`);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(
      await inTenantDatabase(world.sources, `select from "${schema}".schema_migrations where name like '0002%'`),
    ).toEqual([]);
  });
});

async function active(): Promise<{ run: Run; host: string }> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return { run, host: `${run.slug}.${world.platform.cells[0]!.domains.moamalat!}` };
}

async function byHand(run: Run): Promise<ByHand> {
  const { platform, sources } = world;
  return { platform, ...sources, steps: await listSteps(world.database, run.tenantId) };
}

const thingOf = ({ stepId, type, name }: Pick<LedgerRow, 'stepId' | 'type' | 'name'>) => `${stepId} ${type} ${name}`;

/** When each thing of the tenant was made, by the ledger. */
async function madeAtOf(run: Run): Promise<Map<string, string | undefined>> {
  const rows = await listLedger(world.database, run.tenantId);
  return new Map(rows.map((row) => [thingOf(row), row.madeAt?.toISOString()]));
}

function ask(host: string) {
  return askTenant(world.platform, host, '/api/health');
}

async function schemaOf(run: Run): Promise<string> {
  const steps = await listSteps(world.database, run.tenantId);
  return String(steps.find(({ stepId }) => stepId === 'create_schema')?.outputs?.schema);
}
