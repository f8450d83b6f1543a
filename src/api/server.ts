import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { isPortTaken, PortTakenError } from '../port-taken.ts';
import { buildApp, type ApiDeps } from './app.ts';

/** A listening API. */
export interface ApiServer {
  /** `http://127.0.0.1:3006` */
  readonly url: string;
  /** Ends live streams, lets other requests finish, stops listening. */
  readonly close: () => Promise<void>;
}

/** Raised for an address that other machines could reach, where nobody is asked who calls. */
export class PublicAddressError extends Error {
  override readonly name = 'PublicAddressError';
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Builds the API and listens.
 * @param deps.port 0 takes any free port.
 * @param deps.drainDelayMs how long it goes on listening once it is closed, and says at `/readyz` that it ends; default: not at all
 * @throws PublicAddressError for a host other than the loopback ones, where nobody is asked who calls
 */
export async function startApiServer(
  deps: ApiDeps & { host?: string; port: number; drainDelayMs?: number | undefined },
): Promise<ApiServer> {
  const host = deps.host ?? '127.0.0.1';
  if (!loopback.has(host) && (deps.authenticators ?? []).length === 0) {
    throw new PublicAddressError(
      `the API does not listen on ${host}: nobody is asked who calls it. Name an issuer (TENANTRY_OIDC_ISSUER) or take service keys ` +
        '(TENANTRY_SERVICE_KEYS=true), or have it listen on 127.0.0.1',
    );
  }
  const app = await buildApp(deps);
  try {
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port: deps.port });
  } catch (cause) {
    await app.close();
    if (!isPortTaken(cause)) throw new Error(`the API cannot listen on ${host}:${deps.port}`, { cause });
    throw new PortTakenError(`port ${deps.port} (TENANTRY_API_PORT) is taken by another process: choose another`, {
      cause,
    });
  }
  const watch = deps.client.watchWorkers();
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the API has no TCP address');
  const name = isIPv6(address.address) ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, close: () => closeAll(app, watch, deps.drainDelayMs) };
}

async function closeAll(app: FastifyInstance, watch: { stop(): Promise<void> }, drainDelayMs = 0): Promise<void> {
  app.draining.begin();
  // Until load balancers have seen it, they send requests here.
  if (drainDelayMs > 0) await sleep(drainDelayMs);
  await Promise.all([app.close(), watch.stop()]);
}
