import { isPrivateWay } from '../access-config.ts';
import { ConfigError, loadApiToken, loadStateDirectory } from '../config.ts';
import { sessionToken } from './session.ts';

/** What a request says of its caller. */
export interface Credential {
  readonly token: string;
  readonly from: 'TENANTRY_API_TOKEN' | 'sign-in';
}

/** Asked before every request, because a token ends; undefined: the request names nobody. */
export type CredentialSource = () => Promise<Credential | undefined>;

/** `TENANTRY_API_TOKEN`, else what `tenantry login` got for this API. @throws ConfigError when the token cannot be used */
export function credentialsFor(apiUrl: string): CredentialSource {
  const token = loadApiToken();
  if (token !== undefined) {
    const credential = { token, from: 'TENANTRY_API_TOKEN' } as const;
    return () => Promise.resolve(credential);
  }
  const directory = loadStateDirectory();
  return async () => {
    const found = directory === undefined ? undefined : await sessionToken({ directory, apiUrl });
    return found === undefined ? undefined : { token: found, from: 'sign-in' };
  };
}

/** @throws ConfigError when everybody on the way could read what is sent to that address */
export function refuseOpenWay(apiUrl: string): void {
  const url = new URL(apiUrl);
  if (!isPrivateWay(url))
    throw new ConfigError([
      `TENANTRY_API_URL is ${url.protocol}//${url.host}: a token would be readable on the way; use https://`,
    ]);
}
