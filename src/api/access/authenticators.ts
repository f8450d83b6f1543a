import type { AccessConfig } from '../../access-config.ts';
import type { Authenticator } from './authenticator.ts';
import { oidcAuthenticator } from './oidc.ts';
import { serviceKeyAuthenticator, type ServiceKeyDeps } from './service-keys.ts';

/** Those that the configuration asks for; none: the API asks nobody. A token that looks like a key is no token of an issuer. */
export function authenticatorsOf(
  { oidc, serviceKeys }: Pick<AccessConfig, 'oidc' | 'serviceKeys'>,
  { database, log }: ServiceKeyDeps,
): Authenticator[] {
  return [
    ...(serviceKeys ? [serviceKeyAuthenticator({ database, log })] : []),
    ...(oidc ? [oidcAuthenticator(oidc, { log })] : []),
  ];
}
