import { unescapeXml } from '../answer.ts';

/** A record set as far as Route 53's rules for a batch go. */
export interface RecordSet {
  /** Lower case, with its final dot. */
  readonly name: string;
  readonly type: string;
  readonly setIdentifier: string | undefined;
  readonly ttl: string | undefined;
  readonly values: readonly string[];
  /** Zone, name and health evaluation of an alias. */
  readonly alias: string | undefined;
  /** All else that a record set may have: its health check, weight, region, ... as XML. */
  readonly further: readonly string[];
}

export interface Change extends RecordSet {
  readonly action: string;
}

/** The changes of a batch; what cannot be read is left to the upstream to refuse. */
export function readChanges(xml: string): Change[] {
  return [...xml.matchAll(/<Change>(.*?)<\/Change>/gs)].map(([, change = '']) => ({
    action: element(change, 'Action') ?? '',
    ...readRecordSet(change),
  }));
}

/** The record sets of a ListResourceRecordSets answer. */
export function readRecordSets(xml: string): RecordSet[] {
  return [...xml.matchAll(/<ResourceRecordSet>(.*?)<\/ResourceRecordSet>/gs)].map(([, set = '']) => readRecordSet(set));
}

/** Names as Route 53 compares them: lower case, a final dot, `\052` for an asterisk. */
export function recordName(name: string): string {
  return `${name
    .toLowerCase()
    .replace(/\.$/, '')
    .replaceAll('*', String.raw`\052`)}.`;
}

const furtherElements = [
  'HealthCheckId',
  'Weight',
  'Region',
  'GeoLocation',
  'GeoProximityLocation',
  'Failover',
  'MultiValueAnswer',
  'TrafficPolicyInstanceId',
  'CidrRoutingConfig',
];

function readRecordSet(xml: string): RecordSet {
  const alias = /<AliasTarget>(.*?)<\/AliasTarget>/s.exec(xml)?.[1];
  return {
    name: recordName(element(xml, 'Name') ?? ''),
    type: element(xml, 'Type') ?? '',
    setIdentifier: element(xml, 'SetIdentifier'),
    ttl: element(xml, 'TTL'),
    values: [...xml.matchAll(/<Value>([^<]*)<\/Value>/g)].map(([, value = '']) => unescapeXml(value)),
    alias: alias === undefined ? undefined : readAlias(alias),
    further: furtherElements.flatMap((name) => new RegExp(`<${name}>.*?</${name}>`, 's').exec(xml)?.[0] ?? []),
  };
}

function readAlias(xml: string): string {
  const health = element(xml, 'EvaluateTargetHealth') ?? 'false';
  return [element(xml, 'HostedZoneId') ?? '', recordName(element(xml, 'DNSName') ?? ''), health].join(' ');
}

function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found === undefined ? undefined : unescapeXml(found);
}
