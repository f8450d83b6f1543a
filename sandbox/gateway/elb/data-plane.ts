import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Scope } from '../request.ts';
import type { Certificates } from './certificates.ts';
import { respond } from './responses.ts';
import type { ListenerCertificates } from './listener-certificates.ts';
import type { Listener, Routes } from './routes.ts';
import type { TargetHealth } from './target-health.ts';

/** Where a listener of a load balancer is really reached. */
export interface ListenerAddress {
  readonly listenerArn: string;
  readonly loadBalancerArn: string;
  /** Port that the listener has in AWS. */
  readonly listenerPort: number;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** PEM of the CA to trust, for HTTPS listeners. */
  readonly ca?: string | undefined;
}

interface OpenListener {
  readonly scope: Scope;
  readonly address: ListenerAddress;
  readonly server: http.Server;
}

export interface DataPlaneParts {
  readonly routes: Routes;
  readonly targets: TargetHealth;
  readonly certificates: Certificates;
  readonly listenerCertificates: ListenerCertificates;
  /** Local port wanted for a listener's port (443 -> 8443); a free one when absent or taken. */
  readonly localPorts: Readonly<Record<number, number>>;
  readonly logger: Logger;
}

const host = '127.0.0.1';

/** The load balancers' listeners, opened on this machine and routed by the rules that exist in AWS. */
export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #open = new Map<string, OpenListener>();

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
  }

  addresses(): ListenerAddress[] {
    return [...this.#open.values()].map((o) => o.address);
  }

  /** Opens what exists in this scope and is not open, closes what is gone. Callers must not overlap. */
  async sync(scope: Scope): Promise<void> {
    const listeners = await this.#parts.routes.listeners(scope);
    for (const open of this.#open.values()) {
      const now = listeners.get(open.address.listenerArn);
      const isSame = now?.port === open.address.listenerPort && now.protocol === open.address.protocol;
      if (isSameScope(open.scope, scope) && !isSame) await this.#close(open);
    }
    for (const listener of listeners.values()) {
      if (!this.#open.has(listener.arn) && ['HTTP', 'HTTPS'].includes(listener.protocol))
        await this.#openListener(scope, listener);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((o) => this.#close(o)));
  }

  async #openListener(scope: Scope, listener: Listener): Promise<void> {
    const isTls = listener.protocol === 'HTTPS';
    const server = isTls ? await this.#tlsServer(scope, listener) : http.createServer();
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#serve(scope, listener.arn, request, response).catch((error: unknown) => {
        this.#parts.logger.error({ err: error, listener: listener.arn }, 'the load balancer could not route a request');
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end('500 Internal Server Error\n');
      });
    });
    const port = await listen(server, this.#parts.localPorts[listener.port] ?? 0);
    const address: ListenerAddress = {
      listenerArn: listener.arn,
      loadBalancerArn: listener.loadBalancerArn,
      listenerPort: listener.port,
      protocol: listener.protocol,
      host,
      port,
      ...(isTls && { ca: this.#parts.certificates.ca }),
    };
    this.#open.set(listener.arn, { scope, address, server });
    this.#parts.logger.debug({ listener: listener.arn, port }, 'listener opened');
  }

  /** Shows the listener's own certificates, as they are now; one that covers no host is shown all the same, and refused. */
  async #tlsServer(scope: Scope, opened: Listener): Promise<http.Server> {
    const { certificates, listenerCertificates, routes } = this.#parts;
    const contextFor = async (serverName: string) => {
      const listener = (await routes.listeners(scope)).get(opened.arn) ?? opened;
      return certificates.contextFor(await listenerCertificates.shown(scope, listener, serverName));
    };
    return https.createServer({
      SNICallback: (name, done) => {
        contextFor(name).then(
          (context) => done(null, context),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
      // For clients that send no server name.
      ...(await certificates.pairFor(await listenerCertificates.shown(scope, opened, undefined))),
    });
  }

  async #serve(
    scope: Scope,
    listenerArn: string,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const listener = (await this.#parts.routes.listeners(scope)).get(listenerArn);
    if (!listener) {
      response.destroy();
      return;
    }
    respond({ listener, targets: this.#parts.targets, request, response });
  }

  async #close(open: OpenListener): Promise<void> {
    this.#open.delete(open.address.listenerArn);
    await new Promise<void>((resolve) => {
      open.server.close(() => resolve());
      open.server.closeAllConnections();
    });
  }
}

/** Listens on the wanted port, or on a free one when that is taken. Resolves with the port. */
async function listen(server: http.Server, wantedPort: number): Promise<number> {
  const attempt = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  if (wantedPort === 0) return attempt(0);
  try {
    return await attempt(wantedPort);
  } catch {
    return attempt(0);
  }
}

function isSameScope(a: Scope, b: Scope): boolean {
  return a.accountId === b.accountId && a.region === b.region;
}
