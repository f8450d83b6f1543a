import type { InventoryItem } from '../item.ts';
import { ownerOfMarker } from '../ownership.ts';
import type { AnswerTree } from './answer-tree.ts';
import { readPages, type AwsCaller } from './caller.ts';
import { facts, lastPart } from './facts.ts';

/** Hosted zones and their record sets, but for the NS and SOA that a zone itself is made of. */
export async function listRoute53(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (marker) => get(caller, '/2013-04-01/hostedzone', { marker }),
    (answer) => answer.text('NextMarker') || undefined,
  );
  const zones = answers.flatMap((answer) => answer.list('HostedZones')).map((zone) => zoneItem(caller, zone));
  const records = await Promise.all(zones.map((zone) => listRecords(caller, zone)));
  return [...zones, ...records.flat()];
}

function zoneItem({ scope }: AwsCaller, zone: AnswerTree): InventoryItem & { name: string } {
  const id = lastPart(zone.text('Id'));
  return {
    kind: 'route53:zone',
    id: `${scope.accountId}/${id}`,
    name: zone.text('Name'),
    detail: { id, visibility: zone.text('Config.PrivateZone') === 'true' ? 'private' : 'public' },
  };
}

interface RecordPage {
  readonly name: string;
  readonly type: string;
  readonly identifier?: string;
}

async function listRecords(caller: AwsCaller, zone: InventoryItem & { name: string }): Promise<InventoryItem[]> {
  const answers = await readPages<RecordPage>(
    (start) => get(caller, `/2013-04-01/hostedzone/${lastPart(zone.id)}/rrset`, { ...start }),
    nextPage,
  );
  const sets = answers
    .flatMap((answer) => answer.list('ResourceRecordSets'))
    .filter((set) => set.text('Name') !== zone.name || !['NS', 'SOA'].includes(set.text('Type')));
  const markers = new Map(sets.map((set) => [set.text('Name'), ownerOfMarker(valueOf(set))]));
  return sets.map((set) => {
    const name = set.text('Name');
    // Records have no tags: the TXT record beside one tells whose it is.
    const owner = markers.get(name) ?? markers.get(`_tenantry.${name}`);
    return { ...recordItem(zone, set), ...(owner && { owner }) };
  });
}

function recordItem(zone: InventoryItem, set: AnswerTree): InventoryItem {
  const identifier = set.text('SetIdentifier');
  const name = [set.text('Name'), set.text('Type'), ...(identifier ? [identifier] : [])].join(' ');
  const detail = facts({ value: valueOf(set), ttl: set.text('TTL') });
  return { kind: 'route53:record', id: `${zone.id} ${name}`, name, detail };
}

function valueOf(set: AnswerTree): string {
  const alias = set.text('AliasTarget.DNSName');
  return (
    alias ||
    set
      .list('ResourceRecords')
      .map((record) => record.text('Value'))
      .join(' ')
  );
}

function nextPage(answer: AnswerTree): RecordPage | undefined {
  if (answer.text('IsTruncated') !== 'true') return undefined;
  const identifier = answer.text('NextRecordIdentifier');
  const page = { name: answer.text('NextRecordName'), type: answer.text('NextRecordType') };
  return identifier ? { ...page, identifier } : page;
}

function get(caller: AwsCaller, path: string, input: Readonly<Record<string, string | undefined>>) {
  return caller.read({ protocol: 'rest', service: 'route53', path, input });
}
