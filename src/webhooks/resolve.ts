import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Address } from './addresses.ts';

/** All addresses of a name. @throws Error with a `code`, such as ENOTFOUND or ETIMEOUT */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly Address[]>;

const FAMILIES = [4, 6] as const;

/**
 * Asks DNS alone: neither the hosts file nor search domains lead to names of the network that the worker stands in. And not by
 * the system's `getaddrinfo`, whose four threads a name server that hangs would keep from the whole process.
 */
export const resolveByDns: Resolve = async (host, signal) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = answers.flatMap((answer, i) =>
      answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: FAMILIES[i] ?? 4 })) : [],
    );
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (found.length === 0 && failed) throw failed.reason;
    return found;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** The address that a host names without any resolution; undefined: it has to be resolved. */
export function literalAddresses(host: string): readonly Address[] | undefined {
  const family = isIP(host);
  if (family === 4 || family === 6) return [{ address: host, family }];
  return undefined;
}
