import { randomUUID } from 'node:crypto';
import { CreateLogGroupCommand, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTargetGroupCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  difference,
  isOfTenant,
  only,
  renderDifference,
  withoutResidues,
  type InventoryItem,
} from '../../sandbox/inventory/inventory.ts';
import { createClients, destroyClients, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import type { SweepReport } from '../../src/contracts/sweep.ts';
import { inventoryOf, type Inventory } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { recordResult } from './results.ts';
import { sweepCommand, type SweepCommand } from './sweep-command.ts';
import { explained } from './tenant-report.ts';

/** What no run takes away any more: the sweep must find it by itself, and must touch nothing else. */
let world: ProcessWorld;
let sweep: SweepCommand;
let clients: SeedClients;
beforeAll(async () => {
  world = await startProcessWorld();
  sweep = sweepCommand(world);
  clients = createClients({
    endpointUrl: world.gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await (await world.startWorker()).untilReady();
});
afterAll(async () => {
  destroyClients(clients);
  await world.stop();
});

/** Longer than any undo waits for a late effect (40 s). */
const tooLateMs = 80_000;

it('finds and finishes what a terminated run and a very late effect left, and touches nothing else', async () => {
  const bystanders = await plantBystanders();
  const before = await inventoryOf(world);
  const unmarked = await plantUnmarked('ghost');
  const terminated = await createStruck('terminated', 20_000);
  const outrun = await createStruck('outrun', tooLateMs);
  await explained(world, [terminated, outrun], async () => {
    // The run goes while a creation is under way whose effect lands after that.
    await world.temporalCli('workflow', 'terminate', '--workflow-id', terminated.workflowId);
    // The undo is over, window and all, before the effect lands.
    await world.api.cancel(outrun.tenantId);
    expect(await world.until(outrun, ['cancelled'])).toMatchObject({ cleanupPending: false });
    const stuck = await world.until(terminated, ['stuck'], 180_000);
    expect(stuck.error?.code).toBe('RUN_LOST');
    await world.gateway.whenQuiet();

    const there = await thingsOf(terminated, before);
    const report = await reportWith(2);
    expect(classesOf(report)).toEqual({
      [`leak elbv2:target-group`]: 1,
      [`lost-run operation`]: 1,
      [`unmarked logs:log-group`]: 1,
      ...leftOf(report, terminated),
    });
    // The list of what is left names exactly what the oracle sees: not less, and nothing that is not there.
    expect(leftNames(report, terminated)).toEqual(there);
    await finish(report, unmarked);

    expect(await world.until(terminated, ['rolled-back'], 180_000)).toMatchObject({ cleanupPending: false });
    await removeUnmarked(unmarked);
    const { added, removed, changed } = withoutResidues(difference(before, await inventoryOf(world)));
    // All that stays is the mark of the ledger that the sweep keeps in AWS.
    expect(added.map(({ kind, id }) => [kind, id.replace(/^.*\//, '')])).toEqual([['ssm:parameter', 'ledger-mark']]);
    expect(renderDifference({ added: [], removed, changed })).toBe('');
    const after = await sweep.report();
    const open = after.findings.length;
    recordResult('sweep', {
      case: 'a terminated run, an effect pending',
      planted: there.length,
      found: there.length,
      open,
    });
    recordResult('sweep', { case: 'an effect later than the undo waits', planted: 1, found: 1, open: 0 });
    recordResult('sweep', {
      case: 'an unmarked thing of our pattern, by its name',
      planted: 1,
      found: 1,
      open: 0,
      outcome: 'reported, not removed',
    });
    recordResult('sweep', {
      case: 'another installation’s and foreign things',
      planted: 0,
      found: 0,
      open: 0,
      outcome: `${bystanders} of ${bystanders} untouched`,
    });
    expect(after.findings).toEqual([]);
    expect(after.counts.otherInstallations).toBe(1);
  });
});

/** A tenant one of whose creations was just sent, and takes effect that much later. */
async function createStruck(slug: string, effectAfterMs: number): Promise<Tenant> {
  const match = { stepId: 'create_target_group:frontend', action: 'CreateTargetGroup' };
  const id = world.gateway.addRule({ match, fault: { type: 'late', effectAfterMs } });
  const tenant = await world.create(slug);
  await expect.poll(() => hitsOf(id), { timeout: 30_000, interval: 20 }).toBe(1);
  return tenant;
}

function hitsOf(ruleId: string): number {
  return world.gateway.faults().rules.find((rule) => rule.id === ruleId)?.hits ?? 0;
}

/** Things that look much like ours and are not. @returns how many */
async function plantBystanders(): Promise<number> {
  const [cell] = world.platform.cells;
  const group = { Protocol: 'HTTP' as const, Port: 80, VpcId: cell?.vpcId, TargetType: 'ip' as const };
  const other = { installation: randomUUID(), tenant: randomUUID() };
  await clients.elb.send(
    new CreateTargetGroupCommand({
      ...group,
      Name: 't-0123456789-be',
      Tags: [
        { Key: 'tenantry:installation', Value: other.installation },
        { Key: 'tenantry:tenant-id', Value: other.tenant },
        { Key: 'tenantry:product', Value: 'moamalat' },
        { Key: 'tenantry:operation-id', Value: randomUUID() },
        { Key: 'tenantry:step', Value: 'create_target_group:backend' },
      ],
    }),
  );
  await clients.elb.send(new CreateTargetGroupCommand({ ...group, Name: 'billing-backend' }));
  await clients.logs.send(new CreateLogGroupCommand({ logGroupName: '/ecs/billing-backend' }));
  return 3;
}

/** A log group with the name that we would give it, and without a mark. */
async function plantUnmarked(slug: string): Promise<string> {
  const logGroupName = `/ecs/moamalat-${slug}-backend`;
  await clients.logs.send(new CreateLogGroupCommand({ logGroupName }));
  return logGroupName;
}

async function removeUnmarked(logGroupName: string): Promise<void> {
  await clients.logs.send(new DeleteLogGroupCommand({ logGroupName }));
}

/** A report in which this many findings may be removed: what is too young is no finding yet. */
async function reportWith(removable: number): Promise<SweepReport> {
  const end = Date.now() + 180_000;
  for (;;) {
    const report = await sweep.report();
    if (report.findings.filter((finding) => finding.removable).length >= removable) return report;
    if (Date.now() > end) throw new Error(`the sweep finds too little: ${JSON.stringify(report, undefined, 2)}`);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  }
}

/** Nothing without an approval, nothing that may not be removed; then what may. */
async function finish(report: SweepReport, unmarked: string): Promise<void> {
  expect(await sweep.refusal('remove', report.id)).toMatch(/approv/);
  const mine = report.findings.find((finding) => finding.name === unmarked);
  expect(mine).toMatchObject({ class: 'unmarked', removable: false });
  expect(await sweep.refusal('approve', report.id, '--by', 'chaos', '--only', mine?.id ?? '')).toContain(mine?.id);
  const removable = report.findings.filter((finding) => finding.removable).map((finding) => finding.id);
  await sweep.approve(report.id, ...removable);
  const removals = await sweep.remove(report.id);
  expect(removals.map(({ outcome }) => outcome)).toEqual(removable.map(() => 'removed'));
}

function classesOf({ findings }: SweepReport): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { class: name, type } of findings) {
    const key = name === 'left' ? 'left' : `${name} ${type}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function leftOf(report: SweepReport, tenant: Tenant): Record<string, number> {
  const left = leftNames(report, tenant).length;
  return left === 0 ? {} : { left };
}

/** What the report says is left of a tenant, by name. */
function leftNames({ findings }: SweepReport, { tenantId }: Tenant): string[] {
  return findings
    .filter((finding) => finding.class === 'left' && finding.owner.tenantId === tenantId)
    .map((finding) => `${finding.type} ${finding.name}`)
    .sort();
}

/** What the oracle sees of a tenant, in the ledger's words. */
async function thingsOf({ tenantId, slug }: Tenant, before: Inventory): Promise<string[]> {
  const { added } = withoutResidues(difference(before, await inventoryOf(world)));
  return [...new Set(only(added, isOfTenant({ tenantId, slug })).flatMap(inLedgersWords))].sort();
}

/** Kinds that the ledger names too; tasks, targets, memberships and the like come and go with them. */
const ledgersWords: Readonly<Record<string, (item: InventoryItem) => string>> = {
  'ecs:service': ({ name = '' }) => name.replace(/^.*\//, ''),
  'ecs:task-definition': ({ name = '' }) => name.replace(/:\d+$/, ''),
  'elbv2:rule': ({ detail }) => (detail?.when ?? '').replace(/\S+=|\s/g, ''),
  'elbv2:target-group': ({ name = '' }) => name,
  'logs:log-group': ({ name, id }) => name ?? id,
  'postgres:login': ({ name, id }) => name ?? id,
  'postgres:role': ({ name, id }) => name ?? id,
  'postgres:schema': ({ name, id }) => name ?? id,
  'route53:record': ({ name, id }) => name ?? id,
  'secretsmanager:secret': ({ name = '' }) => name,
};

function inLedgersWords(item: InventoryItem): string[] {
  const word = ledgersWords[item.kind];
  return word ? [`${item.kind} ${word(item)}`] : [];
}
