import { z } from 'zod';
import { confirmAs } from './browser.ts';
import { AUDIENCE, CLIENT_ID, type Issuer } from './issuer.ts';
import type { User } from './users.ts';

export interface UserToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** An access token of a user, got by device flow, as `tenantry login` gets one, but without a pause: nobody has to read the code. */
export async function tokenOf({ url }: Pick<Issuer, 'url'>, user: User): Promise<UserToken> {
  const begun = await post(`${url}/device/auth`, { scope: 'openid', resource: AUDIENCE }, authorization);
  await confirmAs(user, begun.verification_uri_complete);
  const device = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: begun.device_code };
  const made = await post(`${url}/token`, device, answered);
  return { token: made.access_token, expiresAtMs: Date.now() + made.expires_in * 1_000 };
}

const authorization = z.object({ device_code: z.string(), verification_uri_complete: z.url() });
const answered = z.object({ access_token: z.string(), expires_in: z.number() });

async function post<T>(url: string, fields: Readonly<Record<string, string>>, schema: z.ZodType<T>): Promise<T> {
  const body = new URLSearchParams({ client_id: CLIENT_ID, ...fields });
  const response = await fetch(url, { method: 'POST', body });
  const { data } = schema.safeParse(await response.json());
  if (!data) throw new Error(`the sandbox's issuer answers POST ${url} with status ${response.status}`);
  return data;
}
