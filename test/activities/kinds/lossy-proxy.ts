import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands between the SDK and the gateway and, when told, cuts the connection after a call has had its effect. */
export interface LossyProxy {
  readonly url: string;
  /** The next call of this action reaches AWS, its answer does not come back. */
  loseAnswerOf(action: string): void;
  /** The next call of this action reaches AWS, but what comes back is a page of somebody on the way. */
  replaceAnswerOf(action: string, status: number): void;
  /** Names of the actions that passed, in order. */
  actions(): readonly string[];
  close(): Promise<void>;
}

const page = '<html><head><title>403 Forbidden</title></head><body><h1>Access Denied</h1></body></html>';

export async function startLossyProxy(upstreamUrl: string): Promise<LossyProxy> {
  const toLose = new Set<string>();
  const toReplace = new Map<string, number>();
  const actions: string[] = [];
  const server = http.createServer((incoming, outgoing) => {
    void bodyOf(incoming).then((body) => {
      const action = actionOf(incoming, body);
      actions.push(action);
      const headers = { ...incoming.headers, host: new URL(upstreamUrl).host };
      const forwarded = http.request(
        new URL(incoming.url ?? '/', upstreamUrl),
        { method: incoming.method, headers },
        (answer) => {
          if (toLose.delete(action)) {
            answer.resume().on('end', () => incoming.socket.destroy());
            return;
          }
          const status = toReplace.get(action);
          if (status !== undefined) {
            toReplace.delete(action);
            answer.resume().on('end', () => outgoing.writeHead(status, { 'content-type': 'text/html' }).end(page));
            return;
          }
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      forwarded.on('error', () => outgoing.destroy());
      forwarded.end(body);
    });
  });
  // As long as the gateway's, or a call on a connection that this ends looks like a lost answer.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replaceAnswerOf: (action, status) => void toReplace.set(action, status),
    loseAnswerOf: (action) => void toLose.add(action),
    actions: () => actions,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The action of a JSON call (its target), a query call (its form) or a REST call of Route 53 (its path). */
function actionOf(incoming: IncomingMessage, body: Buffer): string {
  const target = incoming.headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const form = new URLSearchParams(body.toString('utf8')).get('Action');
  if (form) return form;
  if (/\/rrset\/?$/.test(incoming.url?.split('?')[0] ?? '')) {
    return incoming.method === 'POST' ? 'ChangeResourceRecordSets' : 'ListResourceRecordSets';
  }
  return `${incoming.method ?? '?'} ${incoming.url ?? '?'}`;
}
