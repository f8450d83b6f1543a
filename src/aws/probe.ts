import { request as httpsRequest } from 'node:https';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { currentCallContext } from './call-context.ts';

export interface ProbeRequest {
  readonly loadBalancerArn: string;
  /** The tenant's host: Host header, SNI, and the name that the certificate must be valid for. */
  readonly host: string;
  readonly path: string;
}

/** What came of it: a status, or why there was none. Nothing of the body is kept. */
export type ProbeAnswer =
  | { readonly status: number }
  | {
      readonly error: string;
      /** The load balancer answered, with a certificate that is not valid for the host. */
      readonly isCertificateInvalid?: boolean;
    };

export interface Probe {
  /** Asks a tenant's address through the cell's load balancer, and nowhere else; follows no redirect. Never throws. */
  ask(request: ProbeRequest): Promise<ProbeAnswer>;
}

export const PROBE_TIMEOUT_MS = 3_000;
export const PROBE_BODY_LIMIT_BYTES = 64 * 1024;

export function createProbe(cell: Pick<Cell, 'id' | 'loadBalancers'>, timeoutMs = PROBE_TIMEOUT_MS): Probe {
  return {
    ask: async (request) => {
      const loadBalancer = cell.loadBalancers.find((lb) => lb.arn === request.loadBalancerArn);
      if (!loadBalancer) return { error: `${request.loadBalancerArn} is no load balancer of cell ${cell.id}` };
      return await ask(loadBalancer, request, timeoutMs);
    },
  };
}

function ask(loadBalancer: LoadBalancer, { host, path }: ProbeRequest, timeoutMs: number): Promise<ProbeAnswer> {
  const connect = loadBalancer.connect ?? { host: loadBalancer.dnsName, port: 443 };
  const over = AbortSignal.timeout(timeoutMs);
  const cancelled = currentCallContext()?.signal;
  const signal = cancelled ? AbortSignal.any([over, cancelled]) : over;
  return new Promise((resolve) => {
    const request = httpsRequest({
      host: connect.host,
      port: connect.port,
      method: 'GET',
      path,
      // A connection of its own: what is probed is whether one can be had.
      agent: false,
      servername: host,
      headers: { host: host, 'user-agent': 'tenantry-probe', accept: '*/*', connection: 'close' },
      ...('ca' in connect && connect.ca !== undefined ? { ca: connect.ca } : {}),
      signal,
    });
    const fail = (error: NodeJS.ErrnoException) =>
      resolve(
        over.aborted
          ? { error: `no answer within ${timeoutMs} ms` }
          : { error: error.message, ...(isCertificateError(error) && { isCertificateInvalid: true }) },
      );
    request.on('error', fail);
    request.on('response', (response) => {
      let bytes = 0;
      const status = response.statusCode ?? 0;
      const done = () => {
        resolve({ status });
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= PROBE_BODY_LIMIT_BYTES) done();
      });
      response.on('end', done);
      response.on('error', fail);
    });
    request.end();
  });
}

/** Codes of Node's `X509 certificate error codes` page, and that of its own check of the name. */
const certificateErrors = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
]);

function isCertificateError({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && certificateErrors.has(code);
}
