import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address that a name resolves to. */
export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Public by their number, and answered by the network of a cloud to its own machines (Azure's WireServer). */
const notForOutsiders = new BlockList();
notForOutsiders.addAddress('168.63.129.16');

/** What the internet routes of IPv6 (IANA, "IPv6 Global Unicast Address Assignments"). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
/** The interface of ISATAP (RFC 5214), which carries an IPv4 address: `::0:5efe:a.b.c.d`, `::200:5efe:a.b.c.d`. */
const ISATAP = 0x5efe;

/**
 * Whether anybody on the internet may be asked at this address. Decided by `ipaddr.js`, which keeps IANA's registries of special
 * ranges, the IPv6 ones that carry an IPv4 address included: a list of our own would miss the next one.
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast' || notForOutsiders.check(text, isIP(text) === 4 ? 'ipv4' : 'ipv6')) return false;
  if (address instanceof ipaddr.IPv4) return true;
  return address.match(globalUnicast) && address.parts[5] !== ISATAP;
}

/** Of this host itself: 127.0.0.0/8 and ::1. */
export function isLoopbackAddress(text: string): boolean {
  return isIP(text) !== 0 && ipaddr.parse(text).range() === 'loopback';
}
