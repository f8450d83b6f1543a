import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type Change,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { describe, expect, it } from 'vitest';
import { errorOf, newAccount } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

const a = (name: string, ...addresses: string[]): ResourceRecordSet => ({
  Name: name,
  Type: 'A',
  TTL: 60,
  ResourceRecords: addresses.map((Value) => ({ Value })),
});
const cname = (name: string, target: string): ResourceRecordSet => ({
  Name: name,
  Type: 'CNAME',
  TTL: 60,
  ResourceRecords: [{ Value: target }],
});
const alias = (name: string, target: string): ResourceRecordSet => ({
  Name: name,
  Type: 'A',
  AliasTarget: { HostedZoneId: 'Z35SXDOTRQ7X7K', DNSName: target, EvaluateTargetHealth: false },
});
const create = (ResourceRecordSet: ResourceRecordSet): Change => ({ Action: 'CREATE', ResourceRecordSet });
const upsert = (ResourceRecordSet: ResourceRecordSet): Change => ({ Action: 'UPSERT', ResourceRecordSet });
const remove = (ResourceRecordSet: ResourceRecordSet): Change => ({ Action: 'DELETE', ResourceRecordSet });

async function newZone() {
  const { route53 } = newAccount(shared.gateway);
  const { HostedZone } = await route53.send(
    new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: String(Math.random()) }),
  );
  const HostedZoneId = HostedZone!.Id!.replace('/hostedzone/', '');
  return {
    change: (...Changes: Change[]) =>
      route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } })),
    records: async () => {
      const { ResourceRecordSets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId }));
      return ResourceRecordSets.filter((r) => r.Type !== 'NS' && r.Type !== 'SOA').map((r) => `${r.Name} ${r.Type}`);
    },
  };
}

describe('a deletion', () => {
  it('is refused unless it gives all values of the record set, its health check too', async () => {
    const { change, records } = await newZone();
    const checked = { ...alias('a.example.com', 'lb.example.net'), HealthCheckId: 'check-1' };
    await change(create(checked));
    const refused = await errorOf(change(remove(alias('a.example.com', 'lb.example.net'))));
    expect(refused).toMatchObject({
      name: 'InvalidChangeBatch',
      message: expect.stringContaining('the values provided do not match the current values') as string,
    });
    await change(remove(checked));
    expect(await records()).toEqual([]);
  });
});

describe('a CNAME', () => {
  it('stands alone at its name, whichever comes first', async () => {
    const { change, records } = await newZone();
    await change(create(a('one.example.com', '10.0.0.1')), create(cname('two.example.com', 'elsewhere.net')));
    for (const beside of [create, upsert]) {
      expect(await errorOf(change(beside(cname('one.example.com', 'elsewhere.net'))))).toMatchObject({
        name: 'InvalidChangeBatch',
        message:
          '[RRSet of type CNAME with DNS name one.example.com. is not permitted as it conflicts with other records with the same DNS name in zone example.com.]',
      });
      expect(await errorOf(change(beside(a('two.example.com', '10.0.0.1'))))).toMatchObject({
        name: 'InvalidChangeBatch',
        message:
          '[RRSet of type A with DNS name two.example.com. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone example.com.]',
      });
    }
    const both = change(create(a('three.example.com', '10.0.0.1')), create(cname('three.example.com', 'x.net')));
    expect((await errorOf(both)).name).toBe('InvalidChangeBatch');
    expect(await records()).toEqual(['one.example.com. A', 'two.example.com. CNAME']);
  });

  it('takes the place of another record in one batch, and never stands at the zone itself', async () => {
    const { change, records } = await newZone();
    await change(create(a('swap.example.com', '10.0.0.1')));
    await change(remove(a('swap.example.com', '10.0.0.1')), create(cname('swap.example.com', 'x.net')));
    expect(await records()).toEqual(['swap.example.com. CNAME']);
    expect((await errorOf(change(create(cname('example.com', 'x.net'))))).message).toContain('not permitted at apex');
  });
});

describe('a deletion', () => {
  it('needs the record just as it is', async () => {
    const { change, records } = await newZone();
    await change(
      create(a('gone.example.com', '10.0.0.1', '10.0.0.2')),
      create(alias('alb.example.com', 'alb.aws.com')),
    );
    const mismatch = 'the values provided do not match the current values]';
    for (const wrong of [
      a('gone.example.com', '10.0.0.1'),
      { ...a('gone.example.com', '10.0.0.1', '10.0.0.2'), TTL: 300 },
      alias('alb.example.com', 'other.aws.com'),
    ]) {
      expect((await errorOf(change(remove(wrong)))).message).toContain(mismatch);
    }
    expect((await errorOf(change(remove(a('never.example.com', '10.0.0.1'))))).message).toBe(
      "[Tried to delete resource record set [name='never.example.com.', type='A'] but it was not found]",
    );
    await change(
      remove(a('gone.example.com', '10.0.0.2', '10.0.0.1')),
      remove(alias('ALB.example.com.', 'ALB.aws.com.')),
    );
    expect(await records()).toEqual([]);
  });
});

describe('a batch', () => {
  it('is refused whole, with all that is wrong in it', async () => {
    const { change, records } = await newZone();
    await change(create(a('taken.example.com', '10.0.0.1')));
    const error = await errorOf(
      change(
        create(a('good.example.com', '10.0.0.1')),
        create(a('taken.example.com', '10.0.0.1')),
        remove(a('missing.example.com', '10.0.0.1')),
      ),
    );
    expect(error.message).toBe(
      "[Tried to create resource record set [name='taken.example.com.', type='A'] but it already exists, " +
        "Tried to delete resource record set [name='missing.example.com.', type='A'] but it was not found]",
    );
    expect(await records()).toEqual(['taken.example.com. A']);
  });

  it('may name a record set once, and knows its name in any case and an asterisk in its octal form', async () => {
    const { change, records } = await newZone();
    const twice = change(upsert(a('twice.example.com', '10.0.0.1')), upsert(a('Twice.example.com', '10.0.0.2')));
    expect((await errorOf(twice)).message).toBe(
      "[The request contains an invalid set of changes for a resource record set 'A twice.example.com.']",
    );
    await change(create(a('Upper.example.com', '10.0.0.1')), create(a('*.example.com', '10.0.0.1')));
    expect((await records()).sort()).toEqual([String.raw`\052.example.com. A`, 'upper.example.com. A']);
    expect((await errorOf(change(create(a('UPPER.example.com', '10.0.0.1'))))).message).toContain('already exists');
    expect((await errorOf(change(create(a('*.example.com', '10.0.0.1'))))).message).toContain('already exists');
  });

  it('of more names than are looked up one by one is held against the whole zone', async () => {
    const { change } = await newZone();
    const names = Array.from({ length: 400 }, (_, i) => `n${i}.example.com`);
    await change(...names.map((name) => create(a(name, '10.0.0.1'))));
    const { message } = await errorOf(change(...names.slice(370).map((name) => create(a(name, '10.0.0.1')))));
    expect(message.match(/already exists/g)).toHaveLength(30);
  });
});
