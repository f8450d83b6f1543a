import { isLoopbackAddress, isPublicAddress, type Address } from './addresses.ts';
import { literalAddresses, type Resolve } from './resolve.ts';
import { hostOf, isLoopbackHost, type UrlPolicy } from './url.ts';

/** A receiver's name leads where nothing is sent to. Which address that is stays unsaid: who made the webhook may not know it. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
}

/** The same whether a name resolves or not: else whoever makes webhooks could ask which names there are inside. */
export const NO_PUBLIC_ADDRESS = 'has a name that does not lead to public addresses only: nothing was sent';

const ownAddresses: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Where a URL leads, resolved once. @throws RefusedAddressError unless every address is one that may be asked; what the resolver
 * throws
 */
export async function checkedAddresses(
  url: URL,
  { policy, resolve, signal }: { policy: UrlPolicy; resolve: Resolve; signal: AbortSignal },
): Promise<readonly Address[]> {
  const host = hostOf(url);
  const literal = literalAddresses(host);
  if (policy.allowLoopback && isLoopbackHost(url))
    return (literal ?? ownAddresses).filter(({ address }) => isLoopbackAddress(address));
  const found = literal ?? (await resolve(host, signal));
  if (found.length === 0) throw new RefusedAddressError(NO_PUBLIC_ADDRESS);
  if (!found.every(({ address }) => isPublicAddress(address))) throw new RefusedAddressError(NO_PUBLIC_ADDRESS);
  return found;
}
