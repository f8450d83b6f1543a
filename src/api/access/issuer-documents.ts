import { z } from 'zod';
import { isLoopback, isPrivateWay } from '../../access-config.ts';

/** The issuer gave no answer that can be used. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError';
}

const TIMEOUT_MS = 5_000;
/** Real ones have some kilobytes. */
const LARGEST_BYTES = 256 * 1024;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.string().max(2_000) });
const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });
export type KeySet = z.output<typeof keySet>;

/** The public keys that an issuer signs with, as its discovery document leads to them. @throws IssuerError */
export async function readKeySet(issuer: string): Promise<KeySet> {
  const about = await read(discovery, new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
  if (about.issuer !== issuer) throw new IssuerError(`the document of the issuer ${issuer} is of ${about.issuer}`);
  return read(keySet, keySetUrl(about.jwks_uri, new URL(issuer)));
}

/** The document comes from elsewhere: it must not lead the API to what only this machine reaches. */
function keySetUrl(text: string, issuer: URL): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !isPrivateWay(url) || url.username !== '' || url.password !== '')
    throw new IssuerError('the jwks_uri of the issuer is no https:// URL');
  if (isLoopback(url) && !isLoopback(issuer))
    throw new IssuerError('the jwks_uri of the issuer is on the loopback, and the issuer is not');
  return url;
}

async function read<T>(schema: z.ZodType<T>, url: URL): Promise<T> {
  const { data } = schema.safeParse(await readJson(url));
  if (data === undefined) throw new IssuerError(`${url.href} does not have the form that it must have`);
  return data;
}

async function readJson(url: URL): Promise<unknown> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerError(`${url.href} answers with status ${response.status}`);
    }
    return JSON.parse(await textOf(response, url));
  } catch (cause) {
    if (cause instanceof IssuerError) throw cause;
    throw new IssuerError(`no usable answer from ${url.href}`, { cause });
  }
}

async function textOf({ body }: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    const bytes: unknown = chunk;
    if (!(bytes instanceof Uint8Array)) throw new IssuerError(`${url.href} answers with no bytes`);
    size += bytes.length;
    if (size > LARGEST_BYTES) throw new IssuerError(`${url.href} answers with more than ${LARGEST_BYTES} bytes`);
    chunks.push(bytes);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
