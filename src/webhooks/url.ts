import { isIP } from 'node:net';
import { LONGEST_WEBHOOK_URL } from '../contracts/webhooks.ts';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';

/** Where a process may send events. */
export interface UrlPolicy {
  /** Also to this host itself, by http too: for trying receivers out, never where others may make webhooks. */
  readonly allowLoopback: boolean;
}

/** The port of HTTPS, and those of no system service. */
const HTTPS_PORT = 443;
const FIRST_FREE_PORT = 1_024;

/**
 * What is wrong with a URL as it stands, as a sentence without a subject; undefined: nothing. What its name resolves to is
 * looked at by each attempt.
 */
export function urlProblem(text: string, policy: UrlPolicy): string | undefined {
  if (text.length > LONGEST_WEBHOOK_URL) return `must have at most ${LONGEST_WEBHOOK_URL} characters`;
  if (!URL.canParse(text)) return 'must be a URL';
  const url = new URL(text);
  const isLoopback = policy.allowLoopback && isLoopbackHost(url);
  if (url.protocol !== 'https:' && !(isLoopback && url.protocol === 'http:')) return 'must be an https:// URL';
  if (url.username !== '' || url.password !== '') return 'must have no user name and password';
  if (url.hash !== '' || text.endsWith('#')) return 'must have no fragment';
  const port = portOf(url);
  if (port !== HTTPS_PORT && port < FIRST_FREE_PORT && !isLoopback)
    return `must name port ${HTTPS_PORT}, or one from ${FIRST_FREE_PORT} on`;
  const host = hostOf(url);
  const isRefused = isIP(host) === 0 ? isOwnName(host) : !isPublicAddress(host);
  return isRefused && !isLoopback ? 'must name a public host' : undefined;
}

/** Without the brackets of IPv6 and the dot at the end of a full name. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'http:' ? 80 : HTTPS_PORT;
}

/** This host by its address or its own name (RFC 6761), not by any other that resolves to it. */
export function isLoopbackHost(url: URL): boolean {
  const host = hostOf(url);
  return isIP(host) === 0 ? isOwnName(host) : isLoopbackAddress(host);
}

function isOwnName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
