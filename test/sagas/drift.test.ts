import { PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { DeleteRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients, destroyClients, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import { listSteps } from '../../src/db/steps.ts';
import { caller } from '../../testing/caller.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
let clients: SeedClients;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
  clients = createClients(world.target);
});
afterAll(async () => {
  destroyClients(clients);
  await world.close();
});

describe.concurrent('a look at a tenant', () => {
  it('finds nothing as long as nobody touches it, scaling apart', async () => {
    const run = await active();
    expect(await look(run)).toMatchObject({ outcome: 'none', findings: [], unseen: [] });
    await clients.ecs.send(new UpdateServiceCommand({ ...(await serviceOf(run)), desiredCount: 3 }));
    expect(await look(run)).toMatchObject({ outcome: 'none', findings: [], unseen: [] });
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ drift: { state: 'none', findings: 0 } });
  });

  it('finds each thing that was deleted or changed, field by field, and tells of it', async () => {
    const run = await active();
    const { arn } = await outputsOf(run, 'create_alb_rule:backend');
    await clients.elb.send(new DeleteRuleCommand({ RuleArn: String(arn) }));
    await clients.ecs.send(new UpdateServiceCommand({ ...(await serviceOf(run)), desiredCount: 0 }));
    const { name: logGroupName } = await outputsOf(run, 'create_log_group:backend');
    await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: String(logGroupName), retentionInDays: 1 }));
    const seen = await look(run);
    expect(seen).toMatchObject({ outcome: 'drift', unseen: [] });
    const host = `${run.slug}.${world.platform.cells[0]!.domains.moamalat!}`;
    const wanted = [
      { stepId: 'create_alb_rule:backend', is: 'missing', field: `elbv2:rule ${host}/api/*`, remedy: 'repair' },
      { stepId: 'create_log_group:backend', is: 'changed', field: 'retentionDays', wanted: 30, found: 1 },
      { stepId: 'deploy_frontend', is: 'changed', field: 'desiredCount', wanted: 1, found: 0 },
    ];
    expect(byStep(seen.findings)).toMatchObject(wanted);
    const told = await world.client.drift(caller, run.tenantId);
    expect(told).toMatchObject({ drift: { state: 'drift', findings: 3 } });
    expect(byStep(told.findings)).toMatchObject(wanted);
    const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
    expect(events.filter(({ type }) => type === 'tenant.drift')).toHaveLength(3);
  });
});

async function active(): Promise<Run> {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  return run;
}

async function look({ tenantId }: Run) {
  const seen = await world.drift.lookAtTenant(caller, tenantId, AbortSignal.timeout(60_000));
  return seen!;
}

async function outputsOf({ tenantId }: Run, stepId: string): Promise<Readonly<Record<string, unknown>>> {
  const step = (await listSteps(world.database, tenantId)).find((one) => one.stepId === stepId);
  if (!step) throw new Error(`there is no step ${stepId}`);
  return step.outputs ?? {};
}

function byStep<T extends { readonly stepId: string; readonly field: string }>(findings: readonly T[]): T[] {
  return [...findings].sort((a, b) => (`${a.stepId} ${a.field}` < `${b.stepId} ${b.field}` ? -1 : 1));
}

async function serviceOf(run: Run) {
  const { arn, name } = await outputsOf(run, 'deploy_frontend');
  return { cluster: String(arn).split('/')[1]!, service: String(name) };
}
