import { request } from 'node:https';
import type { Platform } from '../../src/contracts/platform.ts';

export interface AddressAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks a tenant's address as its users do: HTTPS, its own name in SNI and Host, certificate verified; only the way to
 * the load balancer is the sandbox's own, because no public DNS knows these names.
 * @param posted a body, as JSON; without it the address is only read
 */
export function askTenant(platform: Platform, host: string, path: string, posted?: object): Promise<AddressAnswer> {
  const connect = platform.cells[0]?.loadBalancers[0]?.connect;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: connect?.host ?? host,
        port: connect?.port ?? 443,
        servername: host,
        headers: { host },
        path,
        method: posted ? 'POST' : 'GET',
        ca: connect?.ca,
        timeout: 10_000,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`https://${host}${path} did not answer within 10 s`)));
    sent.on('error', reject);
    sent.end(posted && JSON.stringify(posted));
  });
}

/** The same request for a terminal. */
export function curlCommand(platform: Platform, host: string, path: string, caFile: string): string {
  const connect = platform.cells[0]?.loadBalancers[0]?.connect;
  if (!connect) return `curl https://${host}${path}`;
  return `curl --cacert ${caFile} --connect-to ${host}:443:${connect.host}:${connect.port} https://${host}${path}`;
}
