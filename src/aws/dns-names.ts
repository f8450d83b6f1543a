import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { Cell } from '../contracts/platform.ts';
import { parseOwnershipMarker, type Ownership } from '../naming.ts';

/* What names and records of a zone mean. Pure. */

/** A record set. Names are lower case without the dot at their end. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds?: number | undefined;
  /** Values as Route 53 writes them (a TXT value in quotes); empty for an alias. */
  readonly values: readonly string[];
  readonly alias?: { readonly zoneId: string; readonly dnsName: string; readonly evaluateTargetHealth: boolean };
  /** Of a weighted, latency, ... record: never one of ours. */
  readonly setIdentifier?: string | undefined;
  /**
   * As Route 53 listed it; absent for one that is to be made. A deletion has to give every value, those too that have no word here
   * (a health check that somebody added).
   */
  readonly listed?: ResourceRecordSet;
}

export interface DnsChange {
  readonly action: 'CREATE' | 'DELETE';
  readonly record: DnsRecord;
}

/** Lower case, without the dot at the end, Route 53's octal escapes (`\052` for an asterisk) read. */
export function plainName(name: string): string {
  return name
    .replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\.$/, '')
    .toLowerCase();
}

/** What stands before the host in the name of its TXT companion (design rule 3). */
const COMPANION_PREFIX = '_tenantry.';

/** The name of the TXT record beside a host's aliases, which says whose they are. */
export function companionOf(host: string): string {
  return `${COMPANION_PREFIX}${host}`;
}

/** Whose mark a TXT record bears as its one value; undefined when it bears none. */
export function markerOf({ setIdentifier, type, values: [value, ...more] }: DnsRecord): Ownership | undefined {
  if (type !== 'TXT' || setIdentifier !== undefined || more.length > 0 || !value) return undefined;
  return parseOwnershipMarker(value.replace(/^"|"$/g, ''));
}

/** The host that a record or its companion is for. */
export function hostOf(name: string): string {
  return name.startsWith(COMPANION_PREFIX) ? name.slice(COMPANION_PREFIX.length) : name;
}

/** An alias to one of the cell's load balancers. */
export function isCellAlias({ alias, setIdentifier, type }: DnsRecord, cell: Cell): boolean {
  if (!alias || setIdentifier !== undefined || (type !== 'A' && type !== 'AAAA')) return false;
  // The console writes this prefix before a load balancer's name.
  const bare = (name: string) => plainName(name).replace(/^dualstack\./, '');
  return cell.loadBalancers.some((lb) => bare(lb.dnsName) === bare(alias.dnsName));
}

export function isCompanion({ name, type, setIdentifier }: DnsRecord): boolean {
  return type === 'TXT' && setIdentifier === undefined && name.startsWith(COMPANION_PREFIX);
}
