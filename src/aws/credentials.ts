import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Cell } from '../contracts/platform.ts';
import { CredentialsError } from './errors.ts';

export interface CredentialOptions {
  /** Of the worker itself; absent: the SDK's default chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** For the client that assumes the cell's role. */
  readonly clientConfig: NonNullable<Parameters<typeof fromTemporaryCredentials>[0]['clientConfig']>;
}

type Source = ReturnType<typeof fromNodeProviderChain>;

/**
 * The credentials that calls in a cell are signed with: the worker's own, or those of the cell's role. A forced refresh
 * begins anew with every source: files are read again, the role is assumed again. Without it the SDK keeps credentials
 * that name no expiry for good, also when the file that they came from has changed.
 *
 * @throws CredentialsError
 */
export function cellCredentials(cell: Cell, options: CredentialOptions): Source {
  let source = sourceOf(cell, options);
  return async (properties) => {
    if (properties?.forceRefresh === true) source = sourceOf(cell, options);
    try {
      return await source(properties);
    } catch (cause) {
      throw new CredentialsError(cause);
    }
  };
}

function sourceOf(cell: Cell, { credentials, clientConfig }: CredentialOptions): Source {
  const own: Source = credentials
    ? () => Promise.resolve(credentials)
    : fromNodeProviderChain({ ignoreCache: true, clientConfig: { region: cell.region } });
  if (cell.roleArn === undefined) return own;
  return fromTemporaryCredentials({
    params: { RoleArn: cell.roleArn, RoleSessionName: `tenantry-${cell.id}`.slice(0, 64) },
    masterCredentials: own,
    clientConfig,
  });
}
