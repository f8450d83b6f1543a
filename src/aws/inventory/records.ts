import { ListResourceRecordSetsCommand, type Route53Client, type RRType } from '@aws-sdk/client-route-53';
import type { Cell } from '../../contracts/platform.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { ownershipTags } from '../../naming.ts';
import { sent } from '../errors.ts';
import { companionOf, hostOf, isCellAlias, isCompanion, markerOf, plainName, type DnsRecord } from '../dns-names.ts';
import { findRecords, toRecord } from '../route53.ts';
import { allPages, retryTransient } from './pages.ts';

/**
 * Hosts of the cell's zone: an alias to one of its load balancers, a companion, or both, count as one thing. Records that are
 * neither are nobody's business here.
 */
export function recordList(client: Route53Client, cell: Cell): TypeList {
  return {
    async list() {
      const records = await listZone(client, cell.hostedZone.id);
      const hosts = new Map<string, DnsRecord[]>();
      for (const record of records.filter((r) => isOfInterest(r, cell))) {
        const host = hostOf(record.name);
        hosts.set(host, [...(hosts.get(host) ?? []), record]);
      }
      return [...hosts].map(([host, own]) => toItem(cell, host, own));
    },
    async find({ name }) {
      const host = hostOf(plainName(name));
      const zone = cell.hostedZone.id;
      const atHost = await retryTransient(() => findRecords(client, zone, host));
      const companions = await retryTransient(() => findRecords(client, zone, companionOf(host)));
      const own = [...atHost, ...companions].filter((r) => isOfInterest(r, cell));
      return own.length === 0 ? undefined : toItem(cell, host, own);
    },
  };
}

function isOfInterest(record: DnsRecord, cell: Cell): boolean {
  return isCompanion(record) || isCellAlias(record, cell);
}

type Start = { readonly name: string; readonly type: RRType | undefined; readonly identifier: string | undefined };

function listZone(client: Route53Client, zoneId: string): Promise<DnsRecord[]> {
  const call = { service: 'route53', action: 'ListResourceRecordSets' };
  return allPages<DnsRecord, Start | ''>(async (start) => {
    const answer = await client.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        MaxItems: 300,
        ...(start ? { StartRecordName: start.name, StartRecordType: start.type } : {}),
        ...(start && start.identifier !== undefined ? { StartRecordIdentifier: start.identifier } : {}),
      }),
    );
    const items = sent(answer.ResourceRecordSets, call, 'ResourceRecordSets').map(toRecord);
    if (!answer.IsTruncated) return { items, next: undefined };
    const name = sent(answer.NextRecordName, call, 'NextRecordName');
    return { items, next: { name, type: answer.NextRecordType, identifier: answer.NextRecordIdentifier } };
  });
}

function toItem(cell: Cell, host: string, records: readonly DnsRecord[]): SweptItem {
  const marks = records.filter(isCompanion).flatMap((record) => markerOf(record) ?? []);
  const [mark] = marks;
  const physicalId = `${cell.hostedZone.id}/${host}`;
  const sorted = [...records].sort((a, b) => (a.name + a.type < b.name + b.type ? -1 : 1));
  return {
    type: 'route53:record',
    physicalId,
    name: host,
    tags: mark ? ownershipTags(mark) : {},
    createdAt: undefined,
    passing: undefined,
    seen: { physicalId, records: sorted },
  };
}
