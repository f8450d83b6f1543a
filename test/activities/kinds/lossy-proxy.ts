import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands between the SDK and the gateway and, when told, cuts the connection after a call has had its effect. */
export interface LossyProxy {
  readonly url: string;
  /** The next call of this action reaches AWS, its answer does not come back. */
  loseAnswerOf(action: string): void;
  /** Names of the actions that passed, in order. */
  actions(): readonly string[];
  close(): Promise<void>;
}

export async function startLossyProxy(upstreamUrl: string): Promise<LossyProxy> {
  const toLose = new Set<string>();
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
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      forwarded.on('error', () => outgoing.destroy());
      forwarded.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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
