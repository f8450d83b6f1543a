import { request as requestByHttp, type IncomingMessage } from 'node:http';
import { request as requestByHttps, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Address } from './addresses.ts';
import { hostOf, portOf } from './url.ts';

export interface Post {
  readonly url: URL;
  /** The only ones that it may connect to. */
  readonly addresses: readonly Address[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

const LONGEST_HEAD_BYTES = 16 * 1024;
/** Before the next address of a host is tried beside the one before, in ms. */
const NEXT_ADDRESS_MS = 1_000;

/**
 * Sends a body over a connection of its own, and answers the head of what comes back. Redirects are answers like any other.
 * @param onConnected the connection is there, with its certificate checked
 */
export function post(
  { url, addresses, headers, body, signal }: Post,
  onConnected: () => void,
): Promise<IncomingMessage> {
  const isTls = url.protocol === 'https:';
  const host = hostOf(url);
  const options: RequestOptions & { readonly autoSelectFamilyAttemptTimeout: number } = {
    method: 'POST',
    host,
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
    lookup: pinnedTo(addresses),
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    // No pool: what an earlier attempt was connected to says nothing of this one's addresses.
    agent: false,
    maxHeaderSize: LONGEST_HEAD_BYTES,
    signal,
    ...(isTls ? { rejectUnauthorized: true, minVersion: 'TLSv1.2', servername: isIP(host) === 0 ? host : '' } : {}),
  };
  return new Promise((answered, failed) => {
    const sent = (isTls ? requestByHttps : requestByHttp)(options, answered);
    sent.on('error', failed);
    // Whatever ended it: a promise that is settled stays as it is.
    sent.on('close', () => failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    sent.on('socket', (socket) => socket.once(isTls ? 'secureConnect' : 'connect', onConnected));
    sent.end(body);
  });
}

function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else if (first) done(null, first.address, first.family);
    else done(new Error('there is no address'), '');
  };
}
