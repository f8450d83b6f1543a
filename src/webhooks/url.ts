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
  if (host.split('.').includes('')) return 'must name a host without empty parts';
  const isRefused = isIP(host) === 0 ? isOwnName(host) : !isPublicAddress(host);
  return isRefused && !isLoopback ? 'must name a public host' : undefined;
}

/**
 * Whether a URL that can be told reads as it is written: a parser leaves out and puts in what is not there to the eye (blanks, `https:host`,
 * backslashes, an empty user name), and another one does not. Free are the case of scheme and host, the port of the scheme, and the
 * slash after a host. A sentence without a subject; undefined: it does.
 */
export function spellingProblem(text: string): string | undefined {
  const { href, protocol } = new URL(text);
  const [, scheme = '', host = '', rest = ''] = /^(https?:\/\/)([^/?]+)(.*)$/is.exec(text) ?? [];
  const named = host
    .toLowerCase()
    .replace(protocol === 'http:' ? /:0*80$/ : /:0*443$/, '')
    .replace(/:$/, '');
  const written = `${scheme.toLowerCase()}${named}${rest.startsWith('/') ? rest : `/${rest}`}`;
  return written === href ? undefined : `must be written as it is read: ${href}`;
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
