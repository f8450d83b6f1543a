import { companionOf, type DnsRecord } from '../../aws/dns-names.ts';
import type { Difference, DriftRemedy } from '../../contracts/drift.ts';
import { changedFields, missingThing } from '../framework/differences.ts';
import { COMPANION_TTL_SECONDS, isAddress, isOwnAlias, isOwnCompanion, isSameTarget } from './own.ts';
import type { RecordContext } from './spec.ts';

export interface RecordsSeen {
  readonly atHost: readonly DnsRecord[];
  readonly companions: readonly DnsRecord[];
  /** The aliases that the step makes. */
  readonly wanted: readonly DnsRecord[];
}

const type = 'route53:record';

/** What sets a tenant's records apart from its spec. Pure. */
export function recordDifferences(context: RecordContext, seen: RecordsSeen): Difference[] {
  const { atHost, companions, wanted } = seen;
  const companion = companions.find((record) => isOwnCompanion(context, record));
  const addresses = atHost.filter(isAddress);
  // What is there without the mark may be somebody else's by now: `ensure` refuses it.
  const remedy: DriftRemedy = companion || atHost.length + companions.length === 0 ? 'repair' : 'hand';
  const known = (record: DnsRecord) => wanted.some((want) => want.type === record.type);
  return [
    ...companionDifferences(context, companion, companions, remedy),
    ...wanted.flatMap((want) => aliasDifferences(context, want, addresses, remedy)),
    ...addresses.filter((record) => !known(record)).map((record) => extraRecord(context, record, remedy)),
  ];
}

function companionDifferences(
  { spec }: RecordContext,
  own: DnsRecord | undefined,
  companions: readonly DnsRecord[],
  remedy: DriftRemedy,
): Difference[] {
  if (own)
    return changedFields({ ttlSeconds: [COMPANION_TTL_SECONDS, own.ttlSeconds] }).map((one) => ({
      ...one,
      remedy: 'hand',
    }));
  const name = companionOf(spec.host);
  if (companions.length === 0) return [{ ...missingThing(type, name), remedy }];
  return [
    {
      is: 'changed',
      field: 'marker',
      wanted: 'this tenant',
      found: companions.flatMap(({ values }) => values),
      remedy: 'hand',
    },
  ];
}

function aliasDifferences(
  context: RecordContext,
  want: DnsRecord,
  addresses: readonly DnsRecord[],
  remedy: DriftRemedy,
): Difference[] {
  const found = addresses.filter((record) => record.type === want.type);
  const [record, ...others] = found;
  if (!record) return [{ ...missingThing(type, `${want.name} ${want.type}`), remedy }];
  const leads = record.alias?.dnsName;
  const isRight = leads !== undefined && isSameTarget(leads, want.alias?.dnsName ?? '');
  const target = isRight ? want.alias?.dnsName : (leads ?? record.values);
  const brought = isOwnAlias(context, record) ? remedy : 'hand';
  return [
    ...changedFields({
      [`${want.type}.target`]: [want.alias?.dnsName, target],
      [`${want.type}.evaluateTargetHealth`]: [false, record.alias?.evaluateTargetHealth ?? false],
    }).map((one) => ({ ...one, remedy: brought })),
    ...others.map((other) => extraRecord(context, other, 'hand')),
  ];
}

function extraRecord(context: RecordContext, record: DnsRecord, remedy: DriftRemedy): Difference {
  const found = record.alias?.dnsName ?? record.values.join(', ');
  return { is: 'extra', field: `record ${record.type}`, found, remedy: isOwnAlias(context, record) ? remedy : 'hand' };
}
