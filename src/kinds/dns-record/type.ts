import { companionOf, hostOf, isCellAlias, markerOf, type DnsRecord } from '../../aws/dns-names.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../aws/tags.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { SweptItem } from '../../contracts/sweep.ts';
import { sharesAccount, type SweepAws, type SweptType, type TakeAwayCall } from '../framework/resource-type.ts';
import { behind } from '../target-group/type.ts';

/** The records of a host: aliases and their companion are one thing. */
export const recordType: SweptType = {
  named: 'slug',
  list: ({ aws }) => aws.inventory.records,
  isListedIn: (other, cell) => sharesZone(other, cell),
  isUsedFrom: (other, cell) => sharesAccount(other, cell) || sharesZone(other, cell),
  ledgerNames: (host) => [host, companionOf(host)],
  thingOf: hostOf,
  markOf: (name, marker) => `the TXT record ${companionOf(hostOf(name))} with the one value "${marker}"`,
  takeAway: deleteRecords,
  async useOf({ aws, cell, isListed, item }) {
    const other = isListed ? await otherRecord(aws, cell, item) : undefined;
    return other ?? behind(aws, `a rule for ${item.name}`, await aws.inventory.targetGroupsBehind(item.name));
  },
};

/** Exactly our records of the host, with their exact values: a batch about anything else fails. */
async function deleteRecords({ aws: { dns }, cell, item }: TakeAwayCall): Promise<string> {
  const zone = cell.hostedZone.id;
  const companions = (await dns.findRecords(zone, companionOf(item.name))).filter((record) => isMarked(record, item));
  if (companions.length === 0) return 'it was gone already';
  const aliases = (await dns.findRecords(zone, item.name)).filter((record) => isCellAlias(record, cell));
  const records = [...aliases, ...companions];
  await dns.change(
    zone,
    records.map((record) => ({ action: 'DELETE', record })),
  );
  return `deleted ${records.map(({ name, type }) => `${name} ${type}`).join(', ')}`;
}

function isMarked(record: DnsRecord, { tags = {} }: SweptItem): boolean {
  const mark = markerOf(record);
  return mark !== undefined && mark.installationId === tags[INSTALLATION_TAG] && mark.tenantId === tags[TENANT_TAG];
}

/** What else is at the host would lose the mark that says whose it is: an alias to a load balancer that left the cell, too. */
async function otherRecord({ dns }: SweepAws, cell: Cell, { name }: SweptItem): Promise<string | undefined> {
  const other = (await dns.findRecords(cell.hostedZone.id, name)).find((record) => !isCellAlias(record, cell));
  if (!other) return undefined;
  return `a record is at ${name} that is no alias of ours: ${other.type} ${other.alias?.dnsName ?? other.values.join(', ')}`;
}

function sharesZone(a: Cell, b: Cell): boolean {
  return a.hostedZone.id === b.hostedZone.id;
}
