import { markerOf, plainName, type DnsRecord } from '../../aws/dns-names.ts';
import type { RecordContext as Context } from './spec.ts';

export const COMPANION_TTL_SECONDS = 60;

/** What a browser follows: our aliases are of these types, and other records of the name are not the tenant's. */
export function isAddress({ type }: DnsRecord): boolean {
  return type === 'A' || type === 'AAAA' || type === 'CNAME';
}

export function isOwnCompanion({ installationId, tenant }: Context, record: DnsRecord): boolean {
  const marker = markerOf(record);
  return marker?.installationId === installationId && marker.tenantId === tenant.id;
}

/** To a load balancer of the cell, or where the step pointed it when it was made. */
export function isOwnAlias({ cell, previous }: Context, { alias, setIdentifier, type }: DnsRecord): boolean {
  if (!alias || setIdentifier !== undefined || (type !== 'A' && type !== 'AAAA')) return false;
  const targets = [...cell.loadBalancers.map((lb) => lb.dnsName), ...(previous.target ? [previous.target] : [])];
  return targets.some((target) => isSameTarget(alias.dnsName, target));
}

export function isSameTarget(a: string, b: string): boolean {
  // The console writes this prefix before a load balancer's name.
  const plain = (name: string) => plainName(name).replace(/^dualstack\./, '');
  return plain(a) === plain(b);
}
