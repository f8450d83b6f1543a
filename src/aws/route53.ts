import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
  type RRType,
} from '@aws-sdk/client-route-53';
import { plainName, type DnsChange, type DnsRecord } from './dns-names.ts';
import { isAwsError, sent } from './errors.ts';
import { sharedLook } from './watcher.ts';

export interface Dns {
  /** Every record set of exactly this name. */
  findRecords(zoneId: string, name: string): Promise<readonly DnsRecord[]>;
  /** Whether only VPCs see the zone. */
  isPrivateZone(zoneId: string): Promise<boolean>;
  /**
   * The NS record by which the zone gives a name to other name servers: at the name or above it, below the zone's own. What
   * else the zone holds there is seen by nobody.
   */
  findDelegation(zone: { readonly id: string; readonly name: string }, name: string): Promise<DnsRecord | undefined>;
  /**
   * One batch, all or nothing; answers the change's id. @throws StepError whose cause is InvalidChangeBatch when the
   * records are not as the changes assume: list them again
   */
  change(zoneId: string, changes: readonly DnsChange[]): Promise<string>;
  /** Whether every name server has the change; undefined when Route 53 does not know it (any more). Shared look. */
  isInSync(changeId: string): Promise<boolean | undefined>;
}

const service = 'route53';

export function createDns(client: Route53Client): Dns {
  const inTurn = createTurns();

  return {
    findRecords: (zoneId, name) => findRecords(client, zoneId, name),

    async isPrivateZone(zoneId) {
      const answer = await client.send(new GetHostedZoneCommand({ Id: zoneId }));
      // A zone that was made without a Config is answered without one.
      return sent(answer.HostedZone, { service, action: 'GetHostedZone' }, 'HostedZone').Config?.PrivateZone ?? false;
    },

    async findDelegation(zone, name) {
      for (const above of namesBelow(zone.name, name)) {
        const found = (await findRecords(client, zone.id, above)).find((record) => record.type === 'NS');
        if (found) return found;
      }
      return undefined;
    },

    async change(zoneId, changes) {
      const Changes = changes.map(({ action, record }) => ({
        Action: action,
        ResourceRecordSet: toRecordSet(record),
      }));
      const answer = await inTurn(zoneId, () =>
        client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } })),
      );
      const sentId = sent(answer.ChangeInfo?.Id, { service, action: 'ChangeResourceRecordSets' }, 'ChangeInfo.Id');
      return sentId.replace(/^\/change\//, '');
    },

    isInSync: sharedLook<string, boolean>({
      batchSize: 1,
      load: async ([id = '']) => {
        try {
          const answer = await client.send(new GetChangeCommand({ Id: id }));
          const status = sent(answer.ChangeInfo?.Status, { service, action: 'GetChange' }, 'ChangeInfo.Status');
          return new Map([[id, status === 'INSYNC']]);
        } catch (error) {
          if (isAwsError(error, 'NoSuchChange')) return new Map();
          throw error;
        }
      },
    }),
  };
}

/** Route 53 refuses a batch while the zone has another in flight (PriorRequestNotComplete): this process sends one at a time. */
function createTurns(): <T>(zoneId: string, send: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (zoneId, send) => {
    const turn = (last.get(zoneId) ?? Promise.resolve()).then(send);
    last.set(
      zoneId,
      turn.catch(() => undefined),
    );
    return turn;
  };
}

/** A name and those above it, as far as they are below the zone's: `a.b.zone`, `b.zone`. */
function namesBelow(zoneName: string, name: string): string[] {
  const zone = plainName(zoneName);
  const plain = plainName(name);
  if (!plain.endsWith(`.${zone}`)) return [];
  const labels = plain.slice(0, -zone.length - 1).split('.');
  return labels.map((_, i) => [...labels.slice(i), zone].join('.'));
}

/** Every record set of exactly this name. */
export async function findRecords(client: Route53Client, zoneId: string, name: string): Promise<readonly DnsRecord[]> {
  const wanted = plainName(name);
  const found: DnsRecord[] = [];
  let next: { StartRecordName?: string; StartRecordType?: RRType; StartRecordIdentifier?: string } | undefined = {
    StartRecordName: wanted,
  };
  while (next) {
    const answer = await listPage(client, zoneId, next);
    const records = answer.records.filter((record) => record.name === wanted);
    found.push(...records);
    // The list is sorted by name: a record of another name means that all of this one were seen.
    next = records.length === answer.records.length ? answer.next : undefined;
  }
  return found;
}

async function listPage(
  client: Route53Client,
  zoneId: string,
  from: { StartRecordName?: string; StartRecordType?: RRType; StartRecordIdentifier?: string },
) {
  const answer = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, MaxItems: 20, ...from }));
  const call = { service, action: 'ListResourceRecordSets' };
  const records = sent(answer.ResourceRecordSets, call, 'ResourceRecordSets').map(toRecord);
  if (!answer.IsTruncated) return { records, next: undefined };
  const { NextRecordName, NextRecordType, NextRecordIdentifier } = answer;
  const next = {
    StartRecordName: sent(NextRecordName, call, 'NextRecordName'),
    ...(NextRecordType ? { StartRecordType: NextRecordType } : {}),
    ...(NextRecordIdentifier ? { StartRecordIdentifier: NextRecordIdentifier } : {}),
  };
  return { records, next };
}

/** A record set as AWS answers it, in our words. */
export function toRecord(raw: ResourceRecordSet): DnsRecord {
  const call = { service, action: 'ListResourceRecordSets' };
  const alias = raw.AliasTarget;
  return {
    name: plainName(sent(raw.Name, call, 'Name')),
    type: sent(raw.Type, call, 'Type'),
    ttlSeconds: raw.TTL,
    values: (raw.ResourceRecords ?? []).map((r) => sent(r.Value, call, 'ResourceRecords[].Value')),
    ...(alias && {
      alias: {
        zoneId: sent(alias.HostedZoneId, call, 'AliasTarget.HostedZoneId'),
        dnsName: plainName(sent(alias.DNSName, call, 'AliasTarget.DNSName')),
        evaluateTargetHealth: alias.EvaluateTargetHealth ?? false,
      },
    }),
    setIdentifier: raw.SetIdentifier,
    listed: raw,
  };
}

function toRecordSet(record: DnsRecord): ResourceRecordSet {
  if (record.listed) return record.listed;
  return {
    Name: record.name,
    Type: record.type as RRType,
    ...(record.alias
      ? {
          AliasTarget: {
            HostedZoneId: record.alias.zoneId,
            DNSName: record.alias.dnsName,
            EvaluateTargetHealth: record.alias.evaluateTargetHealth,
          },
        }
      : { TTL: record.ttlSeconds, ResourceRecords: record.values.map((Value) => ({ Value })) }),
  };
}
