import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type ResourceRecordSet,
  type VPCRegion,
} from '@aws-sdk/client-route-53';
import { describe, expect, it } from 'vitest';
import { dnsRecord } from '../../../src/kinds/dns-record/kind.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import {
  contextOf,
  newTenant,
  observeUntil,
  stepErrorOf,
  useKindWorld,
  type ContextSettings,
  type TestTenant,
} from './kind-world.ts';

const world = useKindWorld();
const others = () => new Route53Client(world.target);

async function record() {
  const tenant = await newTenant(world);
  const context = (settings: ContextSettings<'dns-record'> = {}) => contextFor(tenant, settings);
  return { tenant, host: tenant.host, context };
}

function contextFor(tenant: TestTenant, settings: ContextSettings<'dns-record'> = {}) {
  const cell = settings.cell ?? world.cell;
  const spec = { zoneId: cell.hostedZone.id, host: tenant.host, loadBalancerArn: cell.loadBalancers[0]!.arn };
  return contextOf<'dns-record'>(world, tenant, spec, settings);
}

function change(action: 'CREATE' | 'DELETE', set: ResourceRecordSet) {
  return others().send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: world.cell.hostedZone.id,
      ChangeBatch: { Changes: [{ Action: action, ResourceRecordSet: set }] },
    }),
  );
}

async function recordsAt(host: string): Promise<ResourceRecordSet[]> {
  const answer = await others().send(
    new ListResourceRecordSetsCommand({ HostedZoneId: world.cell.hostedZone.id, MaxItems: 300 }),
  );
  return (answer.ResourceRecordSets ?? []).filter(
    (set) => set.Name === `${host}.` || set.Name === `_tenantry.${host}.`,
  );
}

/** Number of the last call that AWS answered. */
const lastCall = () => world.gateway.calls().at(-1)?.seq ?? 0;

const route53Since = (seq: number) =>
  world.gateway
    .calls(seq)
    .filter(({ service }) => service === 'route53')
    .map(({ action }) => action);

const foreignA = (host: string): ResourceRecordSet => ({
  Name: host,
  Type: 'A',
  TTL: 60,
  ResourceRecords: [{ Value: '192.0.2.7' }],
});

describe('dns-record', () => {
  it('makes alias and companion in one change, is ready when that is in sync, and is harmless run twice', async () => {
    const { host, context } = await record();
    const ensured = await dnsRecord.ensure(context());
    expect(ensured.status).toBe('pending');
    expect(ensured.outputs.changeId).not.toBe('');
    const ready = await observeUntil(dnsRecord, context({ previous: ensured.outputs }), 'ready');
    expect(ready.detail).toContain(host);
    const again = await dnsRecord.ensure(context({ previous: ensured.outputs }));
    expect(again.outputs).toEqual(ensured.outputs);
    const sets = await recordsAt(host);
    expect(sets.map((set) => [set.Name, set.Type])).toEqual(
      expect.arrayContaining([
        [`${host}.`, 'A'],
        [`_tenantry.${host}.`, 'TXT'],
      ]),
    );
    expect(sets).toHaveLength(2);
  });

  it('waits while the change is PENDING', async () => {
    world.gateway.setTime({ dnsSyncMs: 1_500 });
    try {
      const { context } = await record();
      const { outputs } = await dnsRecord.ensure(context());
      const seen = await dnsRecord.observe(context({ previous: outputs }));
      expect(seen).toMatchObject({ status: 'pending', detail: expect.stringContaining('PENDING') as string });
      await observeUntil(dnsRecord, context({ previous: outputs }), 'ready');
    } finally {
      world.gateway.setTime('fast');
    }
  });

  it('asks for the change alone while it is PENDING, and for the records once it is in sync', async () => {
    world.gateway.setTime({ dnsSyncMs: 1_500 });
    try {
      const { context } = await record();
      const { outputs } = await dnsRecord.ensure(context());
      const before = lastCall();
      for (let looks = 0; looks < 3; looks += 1) await dnsRecord.observe(context({ previous: outputs }));
      expect(route53Since(before)).toEqual(['GetChange', 'GetChange', 'GetChange']);
      await observeUntil(dnsRecord, context({ previous: outputs }), 'ready');
      expect(route53Since(before).slice(-2)).toEqual(['ListResourceRecordSets', 'ListResourceRecordSets']);
    } finally {
      world.gateway.setTime('fast');
    }
  });

  it('makes an AAAA alias too when the load balancer is dual-stack', async () => {
    const { tenant } = await record();
    const [lb] = world.cell.loadBalancers;
    const cell: Cell = { ...world.cell, loadBalancers: [{ ...lb!, ipAddressType: 'dualstack' }] };
    await dnsRecord.ensure(contextFor(tenant, { cell }));
    const types = (await recordsAt(tenant.host)).map((set) => set.Type);
    expect(types.sort()).toEqual(['A', 'AAAA', 'TXT']);
    await dnsRecord.remove(contextFor(tenant, { cell }));
    expect(await recordsAt(tenant.host)).toEqual([]);
  });

  it('adopts what an attempt without an answer made, and counts what is listed as ready', async () => {
    const { host, context } = await record();
    world.proxy.loseAnswerOf('ChangeResourceRecordSets');
    expect((await stepErrorOf(dnsRecord.ensure(context()))).code).toBe('UNCLEAR');
    const { outputs } = await dnsRecord.ensure(context());
    expect(outputs).toMatchObject({ host, changeId: '' });
    expect(await dnsRecord.observe(context({ previous: outputs }))).toMatchObject({ status: 'ready' });
    expect(await recordsAt(host)).toHaveLength(2);
  });

  it('makes an alias that is missing beside its companion', async () => {
    const { host, context } = await record();
    await dnsRecord.ensure(context());
    const alias = (await recordsAt(host)).find((set) => set.Type === 'A');
    await change('DELETE', alias!);
    expect((await dnsRecord.ensure(context())).outputs.changeId).not.toBe('');
    expect(await recordsAt(host)).toHaveLength(2);
  });

  it('refuses a foreign record at the host, leaves it untouched, and its undo too', async () => {
    const { host, context } = await record();
    await change('CREATE', foreignA(host));
    const before = await recordsAt(host);
    const refused = await stepErrorOf(dnsRecord.ensure(context()));
    expect(refused.code).toBe('OWNERSHIP_CONFLICT');
    expect(refused.detail).toContain('192.0.2.7');
    expect(await dnsRecord.remove(context())).toMatchObject({ status: 'removed', missing: true });
    expect(await recordsAt(host)).toEqual(before);
  });

  it("refuses another tenant's companion", async () => {
    const { host, context } = await record();
    await dnsRecord.ensure(context());
    const other = await newTenant(world);
    const intruder = contextFor({ ...other, host });
    expect((await stepErrorOf(dnsRecord.ensure(intruder))).code).toBe('OWNERSHIP_CONFLICT');
    await dnsRecord.remove(intruder);
    expect(await recordsAt(host)).toHaveLength(2);
  });

  it('refuses an alias to the same load balancer without our companion', async () => {
    const { host, context } = await record();
    await dnsRecord.ensure(context());
    const companion = (await recordsAt(host)).find((set) => set.Type === 'TXT');
    await change('DELETE', companion!);
    expect((await stepErrorOf(dnsRecord.ensure(context()))).code).toBe('OWNERSHIP_CONFLICT');
    // While an attempt without an answer may have made both, the companion may come into sight last.
    expect((await stepErrorOf(dnsRecord.ensure(context({ mayExist: true })))).code).toBe('CONFLICT_RETRYABLE');
  });

  it('takes an alias of its own whose companion somebody deleted, but none that it knows nothing of', async () => {
    const { host, context } = await record();
    const { outputs } = await dnsRecord.ensure(context());
    const companion = (await recordsAt(host)).find((set) => set.Type === 'TXT');
    await change('DELETE', companion!);
    const removing = { removingAt: new Date() };
    await dnsRecord.remove(context(removing));
    expect((await recordsAt(host)).map((set) => set.Type)).toEqual(['A']);
    const made = { ...removing, previous: outputs };
    expect(await dnsRecord.observe(context(made))).toMatchObject({ status: 'ready' });
    expect(await dnsRecord.remove(context(made))).toMatchObject({ status: 'pending' });
    expect(await recordsAt(host)).toEqual([]);
    await observeUntil(dnsRecord, context(made), 'absent');
  });

  it('removes its own, a second time does nothing, and what is gone is absent at once for one never active', async () => {
    const { host, context } = await record();
    await dnsRecord.ensure(context());
    const removing = { removingAt: new Date() };
    expect(await dnsRecord.remove(context(removing))).toMatchObject({ status: 'pending' });
    expect(await recordsAt(host)).toEqual([]);
    await dnsRecord.remove(context(removing));
    await observeUntil(dnsRecord, context(removing), 'absent');
  });

  it('waits the resolvers out for a tenant that was active', async () => {
    const { context } = await record();
    await dnsRecord.ensure(context());
    const settings = { removingAt: new Date(), everActive: true };
    const startedAtMs = Date.now();
    expect(await dnsRecord.remove(context(settings))).toMatchObject({ status: 'pending' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const seen = await dnsRecord.observe(context(settings));
    expect(seen).toMatchObject({ status: 'pending', detail: expect.stringContaining('resolvers') as string });
    await observeUntil(dnsRecord, context(settings), 'absent');
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(world.cell.hostedZone.drainSeconds * 1000);
  });

  it('refuses, by name, a host below a name that the zone gives to other name servers, and makes nothing', async () => {
    const { name } = world.cell.hostedZone;
    const { tenant } = await record();
    const delegated = { ...tenant, host: `${tenant.slug}.tenants.${name}` };
    const NS: ResourceRecordSet = {
      ...{ Name: `tenants.${name}`, Type: 'NS', TTL: 300 },
      ResourceRecords: [{ Value: 'ns1.example.net.' }, { Value: 'ns2.example.net.' }],
    };
    await change('CREATE', NS);
    try {
      const refused = await stepErrorOf(dnsRecord.ensure(contextFor(delegated)));
      expect(refused.code).toBe('ZONE_NOT_AUTHORITATIVE');
      expect(refused.message).toContain(`delegates tenants.${name}`);
      expect(refused.detail).toContain('ns1.example.net');
      expect(await recordsAt(delegated.host)).toEqual([]);
    } finally {
      await change('DELETE', NS);
    }
    await dnsRecord.ensure(contextFor(delegated));
    expect(await recordsAt(delegated.host)).toHaveLength(2);
  });

  it('refuses a zone that only VPCs see', async () => {
    const { tenant } = await record();
    const { hostedZone, region, vpcId } = world.cell;
    const made = await others().send(
      new CreateHostedZoneCommand({
        ...{ Name: hostedZone.name, CallerReference: tenant.id },
        VPC: { VPCId: vpcId, VPCRegion: region as VPCRegion },
      }),
    );
    const id = made.HostedZone!.Id!.replace('/hostedzone/', '');
    const cell: Cell = { ...world.cell, hostedZone: { ...hostedZone, id } };
    const refused = await stepErrorOf(dnsRecord.ensure(contextFor(tenant, { cell })));
    expect(refused).toMatchObject({
      code: 'ZONE_NOT_AUTHORITATIVE',
      message: expect.stringContaining('is private') as string,
    });
  });

  it('is not ready while its alias leads to another load balancer of the cell, and is led back', async () => {
    const { host, tenant } = await record();
    const [lb] = world.cell.loadBalancers;
    const second = { ...lb!, arn: `${lb!.arn}2`, dnsName: 'second-alb.us-east-1.elb.amazonaws.com' };
    const cell: Cell = { ...world.cell, loadBalancers: [lb!, second] };
    const context = (previous = {}) => contextFor(tenant, { cell, previous });
    await dnsRecord.ensure(context());
    const alias = (await recordsAt(host)).find((set) => set.Type === 'A')!;
    await change('DELETE', alias);
    await change('CREATE', { ...alias, AliasTarget: { ...alias.AliasTarget!, DNSName: second.dnsName } });
    expect(await dnsRecord.observe(context())).toMatchObject({
      status: 'pending',
      detail: expect.stringMatching(/alias second-alb.* does not lead to /) as string,
    });
    const { outputs } = await dnsRecord.ensure(context());
    await observeUntil(dnsRecord, context(outputs), 'ready');
    expect(await recordsAt(host)).toHaveLength(2);
    const led = (await recordsAt(host)).find((set) => set.Type === 'A');
    expect(led?.AliasTarget?.DNSName).toContain(lb!.dnsName);
  });

  it('refuses a zone or a host outside the cell', async () => {
    const { tenant } = await record();
    const [lb] = world.cell.loadBalancers;
    const spec = { zoneId: 'ZOTHER', host: tenant.host, loadBalancerArn: lb!.arn };
    expect((await stepErrorOf(dnsRecord.ensure(contextOf<'dns-record'>(world, tenant, spec)))).code).toBe(
      'OUTSIDE_CELL',
    );
    const host = { ...spec, zoneId: world.cell.hostedZone.id, host: 'victim.example.org' };
    expect((await stepErrorOf(dnsRecord.ensure(contextOf<'dns-record'>(world, tenant, host)))).code).toBe(
      'OUTSIDE_CELL',
    );
  });
});
