import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { messageOf } from './log.ts';

const handedOut = new Set<number>();

/**
 * A TCP port on 127.0.0.1 that nobody listens on: the preferred one when it is free, else one that the system chooses.
 * This process never hands the same port out twice.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && !handedOut.has(preferred) && !(await answers(preferred)) && (await bind(preferred))) {
    handedOut.add(preferred);
    return preferred;
  }
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await bind(0);
    if (port === undefined || handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error('no free TCP port on 127.0.0.1 after 50 attempts');
}

/** A part that listens at its usual port, or at another because that one was taken. */
export interface PlacedPart {
  readonly of: string;
  readonly usual: number;
  readonly port: number;
}

/** One line on the parts whose usual ports were taken; undefined: none was. */
export function otherPortsLine(parts: readonly PlacedPart[]): string | undefined {
  const moved = parts.filter(({ port, usual }) => port !== usual);
  if (moved.length === 0) return undefined;
  return `taken by others: ${moved.map(({ of, port, usual }) => `port ${usual}, so ${of} is at ${port}`).join('; ')}`;
}

/** A port that is taken until it is released. */
export interface HeldPort {
  readonly port: number;
  /** Leaves it to whoever is to listen there. Safe to call twice. */
  readonly release: () => Promise<void>;
}

/** A free port that nobody else gets meanwhile, for a server that starts much later than its port has to be known. */
export function holdPort(preferred: number): Promise<HeldPort> {
  return startOnFreePort(preferred, async (port) => {
    const server = createServer((socket) => socket.destroy());
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    const closed = once(server, 'close');
    return {
      port,
      release: async () => {
        server.close();
        await closed;
      },
    };
  });
}

/** Starts something on a free port; chooses another, three times, when somebody took it in between. */
export async function startOnFreePort<T>(
  preferred: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort(attempt === 1 ? preferred : undefined));
    } catch (error) {
      if (attempt === 3 || !/address already in use|EADDRINUSE|is already in use/i.test(messageOf(error))) throw error;
    }
  }
}

/** True when something accepts connections on 127.0.0.1 at this port. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setTimeout(1000, () => socket.destroy(new Error('time-out')));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The port that could be bound, or undefined. macOS lets this succeed beside a wildcard listener, hence `answers`. */
async function bind(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
