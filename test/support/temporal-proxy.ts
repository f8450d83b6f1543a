import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Stands before a Temporal server without TLS and, when told, ends the connection after a call has had its effect. */
export interface TemporalProxy {
  readonly address: string;
  /** The next call of this gRPC method reaches Temporal, its answer does not come back; the caller notices after `meanwhile`. */
  loseAnswerOf(method: string, meanwhile?: () => Promise<void>): void;
  /** How often a method was called. */
  calls(method: string): number;
  close(): Promise<void>;
}

export async function startTemporalProxy(upstream: string): Promise<TemporalProxy> {
  const toLose = new Map<string, () => Promise<void>>();
  const called: string[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  const target = http2.connect(`http://${upstream}`);
  target.on('error', () => undefined);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (client, headers) => {
    const method = (headers[':path'] ?? '').split('/').at(-1) ?? '';
    called.push(method);
    const meanwhile = toLose.get(method);
    toLose.delete(method);
    const call = target.request({ ...headers, ':authority': upstream });
    for (const stream of [client, call]) stream.on('error', () => undefined);
    client.on('close', () => call.close());
    client.pipe(call);
    if (meanwhile) {
      call.resume().on('end', () => void meanwhile().finally(() => client.session?.destroy()));
      return;
    }
    forward(call, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseAnswerOf: (method, meanwhile = () => Promise.resolve()) => void toLose.set(method, meanwhile),
    calls: (method) => called.filter((one) => one === method).length,
    close: async () => {
      for (const session of sessions) session.destroy();
      target.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** gRPC ends an answer with trailers, or begins it with what would be trailers. */
function forward(call: http2.ClientHttp2Stream, client: http2.ServerHttp2Stream): void {
  let trailers: http2.IncomingHttpHeaders = {};
  call.on('trailers', (received: http2.IncomingHttpHeaders) => void (trailers = received));
  call.on('response', (headers, flags) => {
    if (client.destroyed) return;
    const isWhole = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    client.respond(headers, { endStream: isWhole, waitForTrailers: !isWhole });
    client.on('wantTrailers', () => client.sendTrailers(trailers));
    if (!isWhole) call.pipe(client);
  });
}
