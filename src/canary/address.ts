import { request } from 'node:https';
import { isIP } from 'node:net';
import type { ProbeSettings } from './settings.ts';

const BODY_LIMIT_BYTES = 256 * 1024;

/**
 * Asks a tenant's address as a user's browser would: by its name, with a certificate that must be valid for it; follows no redirect.
 * @returns what was not as it must be; undefined: all is well. Never throws.
 */
export async function problemOf(tenantUrl: string, settings: ProbeSettings): Promise<string | undefined> {
  for (const path of settings.paths) {
    const problem = await problemAt(new URL(path, tenantUrl), settings);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function problemAt(url: URL, settings: ProbeSettings): Promise<string | undefined> {
  try {
    const { body, status } = await get(url, settings);
    if (status !== settings.status) return `${url.href} answers ${status}, not ${settings.status}`;
    if (settings.text !== undefined && !body.includes(settings.text))
      return `${url.href} answers ${status} without the text ${JSON.stringify(settings.text)}`;
    return undefined;
  } catch (error) {
    return `${url.href} does not answer: ${error instanceof Error ? wordsOf(error) : String(error)}`;
  }
}

/** A name that has several addresses fails with one error for each. */
function wordsOf(error: Error): string {
  const all =
    error instanceof AggregateError ? error.errors.map((one) => (one instanceof Error ? one.message : '')) : [];
  return error.message || all.filter(Boolean).join('; ') || 'no connection';
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(url: URL, { connectTo, timeoutMs }: ProbeSettings): Promise<Answer> {
  const [, host = url.hostname, port = url.port || '443'] = /^(.*):(\d+)$/.exec(connectTo ?? '') ?? [];
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    const end = (then: () => void) => {
      clearTimeout(late);
      then();
    };
    const asked = request({
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port),
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, 'user-agent': 'tenantry-canary' },
      // An address is no name that a certificate could be chosen by.
      ...(isIP(url.hostname) === 0 && { servername: url.hostname }),
      agent: false,
    });
    asked.on('error', (error) => end(() => reject(error)));
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const done = () => {
        end(() => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
        asked.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= BODY_LIMIT_BYTES) done();
      });
      response.on('end', done);
      response.on('error', (error) => end(() => reject(error)));
    });
    asked.end();
  });
}
