import { ScheduleOverlapPolicy } from '@temporalio/client';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { healthScheduleId } from '../../src/contracts/health.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { RESULTS_THAT_COUNT } from '../../src/contracts/health.ts';
import { ensureHealthSchedule } from '../../src/worker/health-schedule.ts';
import { caller } from '../../testing/caller.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
let installationId: string;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
  installationId = await findInstallationId(world.database);
  await ensureHealthSchedule(world.temporal, installationId, 3_600_000);
});
afterAll(() => world.close());

it('the schedule sees a tenant without tasks, says why, and sees it back', async () => {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  await look(run);
  expect(await healthOf(run)).toMatchObject({ status: 'healthy', reason: null });
  await scaleByHand(run, 0);
  for (let i = 0; i < RESULTS_THAT_COUNT; i++) await look(run);
  expect(await healthOf(run)).toMatchObject({
    status: 'unhealthy',
    reason: expect.stringMatching(
      /^deploy_backend: it answers 503.*\(deploy_backend: 0 of 0 tasks run, targets: /,
    ) as unknown,
  });
  await scaleByHand(run, 1);
  await expect.poll(async () => (await look(run), (await healthOf(run))?.status)).toBe('healthy');
  const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
  const told = events.filter(({ type }) => type === 'tenant.health');
  expect(told.map(({ data }) => data['to'])).toEqual(['healthy', 'unhealthy', 'healthy']);
  expect(told[0]?.caller).toMatchObject({ role: 'system' });
});

const healthOf = async ({ tenantId }: Run) => (await world.client.get(caller, tenantId)).health;

/** A round of the schedule, to its end. */
async function look({ tenantId }: Run): Promise<void> {
  const seen = async () =>
    (
      await world.database.query<{ round: Date }>('select round from tenant_health where tenant_id = $1', [tenantId])
    ).rows[0]?.round.getTime() ?? 0;
  const before = await seen();
  const handle = world.temporal.schedule.getHandle(healthScheduleId(installationId));
  await handle.trigger(ScheduleOverlapPolicy.BUFFER_ALL);
  await expect.poll(seen).toBeGreaterThan(before);
}

async function scaleByHand({ slug }: Run, desiredCount: number): Promise<void> {
  const { accountId, cluster, region } = world.platform.cells[0]!;
  const credentials = { accessKeyId: accountId, secretAccessKey: 'test' };
  const ecs = new ECSClient({ endpoint: world.gateway.url, region, credentials });
  const service = `moamalat-${slug}-backend`;
  await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount }));
  const running = async () =>
    (await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))).services?.[0]?.runningCount;
  await expect.poll(running).toBe(desiredCount);
  ecs.destroy();
}
