import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  type LoadBalancer,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateClusterCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients, destroyClients } from '../../sandbox/landing-zone/clients.ts';
import { createAwsForPlatform } from '../../src/aws/cell-aws.ts';
import type { Cell, Platform } from '../../src/contracts/platform.ts';
import { createSweep, type Sweep } from '../../src/sweep/sweep.ts';
import {
  findingsOf,
  ledgerTenant,
  namesFor,
  plantServing,
  startSweepWorld,
  stranger,
  type SweepWorld,
} from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

/* Two cells of one account, region and zone, each with a cluster and a load balancer of its own. */

let world: SweepWorld;
let second: Cell;
let sweep: Sweep;
let destroy: () => void;
beforeAll(async () => {
  world = await startSweepWorld();
  await ledgerTenant(world, 'deleted');
  second = await secondCell(world);
  const platform: Platform = { version: 1, cells: [world.cell, second] };
  const aws = createAwsForPlatform(platform, {
    endpointUrl: world.gateway.url,
    credentials: { accessKeyId: world.cell.accountId, secretAccessKey: 'test' },
    pacing: { factor: Infinity },
  });
  destroy = () => aws.destroy();
  sweep = createSweep({ ...world.deps, platform, aws });
  expect((await reportOf(second)).mark.state).toBe('intact');
});
afterAll(async () => {
  destroy();
  await world.close();
});

const reportOf = ({ id }: Cell) => sweep.report(testCaller, { cell: id, by: 'a test' });

async function secondCell({ cell, gateway }: SweepWorld): Promise<Cell> {
  const credentials = { accessKeyId: cell.accountId, secretAccessKey: 'test' };
  const clients = createClients({ endpointUrl: gateway.url, region: cell.region, credentials });
  try {
    await clients.ecs.send(new CreateClusterCommand({ clusterName: 'second' }));
    const made = await clients.elb.send(
      new CreateLoadBalancerCommand({ Name: 'second', Type: 'application', Subnets: [...cell.subnetIds] }),
    );
    const balancer: LoadBalancer = made.LoadBalancers![0]!;
    const { certificateArn } = cell.loadBalancers[0]!;
    const { Listeners } = await clients.elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: balancer.LoadBalancerArn,
        Port: 443,
        Protocol: 'HTTPS',
        Certificates: [{ CertificateArn: certificateArn }],
        DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
      }),
    );
    const loadBalancer = {
      arn: balancer.LoadBalancerArn!,
      dnsName: balancer.DNSName!,
      canonicalHostedZoneId: balancer.CanonicalHostedZoneId!,
      ipAddressType: 'ipv4' as const,
      httpsListenerArn: Listeners![0]!.ListenerArn!,
      certificateArn,
    };
    return { ...cell, id: 'second', cluster: 'second', loadBalancers: [loadBalancer] };
  } finally {
    destroyClients(clients);
  }
}

describe('a cell that shares its account with another', () => {
  it('takes nothing away that serves in the other', async () => {
    const owner = stranger(world);
    const planted = await plantServing(world, owner);
    const made = await reportOf(second);
    const only = findingsOf(made, owner.tenantId).flatMap((f) => (f.removable ? f.id : []));
    await sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
    const { removals } = await sweep.remove(testCaller, { reportId: made.id, by: 'Grace', limit: 20 });
    const outcome = Object.fromEntries(removals.map((r) => [r.physicalId, `${r.outcome}: ${r.detail}`]));
    const logGroup = Object.keys(outcome).find((id) => id.endsWith(planted['logs:log-group'])) ?? '';
    const record = planted['route53:record'];
    for (const id of [record, planted['elbv2:target-group'], planted['running-revision'], logGroup])
      expect(outcome[id], id).toMatch(/^skipped: it is in use: /);
    for (const id of [planted['running-revision'], logGroup]) expect(outcome[id]).toContain('(cell default)');
    const host = record.split('/')[1] ?? '';
    expect(await world.aws.dns.findRecords(world.cell.hostedZone.id, `_tenantry.${host}`)).toHaveLength(1);
    await world.aws.ecs.deleteService(namesFor(owner).service);
  });

  it("leaves the other's things to its report where that lists them, and else shows them", async () => {
    const owner = await ledgerTenant(world, 'failed');
    const { logGroup } = namesFor(owner);
    await world.aws.logs.createLogGroup(logGroup, owner.tags);
    const before = await reportOf(second);
    expect(findingsOf(before, owner.tenantId)).toEqual([]);
    expect(before.counts.otherCells).toBeGreaterThan(0);

    const elsewhere = { ...world.cell, accountId: '999999999999', cluster: 'elsewhere' };
    const platform: Platform = { version: 1, cells: [elsewhere, second] };
    const apart = createSweep({ ...world.deps, platform, aws: () => world.aws });
    const [found, ...more] = findingsOf(
      await apart.report(testCaller, { cell: 'second', by: 'a test' }),
      owner.tenantId,
    );
    expect(more).toEqual([]);
    expect(found).toMatchObject({ class: 'leak', name: logGroup, removable: false });
    expect(found?.remedy).toContain('its tenant lives in cell default');
  });
});
