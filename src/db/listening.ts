import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { newClient } from './connections.ts';
import { unavailable } from './database-errors.ts';

/** A running LISTEN. */
export interface Listening {
  stop(): Promise<void>;
}

const shortestWaitMs = 100;
const longestWaitMs = 5_000;

/**
 * LISTENs with a connection of its own and connects again for as long as it takes when that is lost.
 *
 * @param onNotify the payload; undefined after a reconnection, when notifications may have been missed.
 * @throws DatabaseUnavailableError when the first connection fails
 */
export async function startListening(
  config: pg.ClientConfig,
  channel: string,
  onNotify: (payload: string | undefined) => void,
): Promise<Listening> {
  const stopped = new AbortController();
  let client = await connect(config, channel, onNotify).catch((error: unknown) => {
    throw unavailable(error) ?? error;
  });
  let openedAtMs = performance.now();
  let waitMs = shortestWaitMs;
  const watching = (async () => {
    for (;;) {
      await client.lost;
      // A server that ends each connection as soon as it is made is asked no more often than one that refuses it.
      if (performance.now() - openedAtMs > longestWaitMs) waitMs = shortestWaitMs;
      else await sleep(waitMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      const again = await reconnect(config, channel, onNotify, stopped.signal);
      if (again === undefined) return;
      // Stopped while it was made: `stop` has ended the one before.
      if (stopped.signal.aborted) return again.end();
      client = again;
      openedAtMs = performance.now();
      waitMs = Math.min(waitMs * 2, longestWaitMs);
      onNotify(undefined);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await client.end();
      await watching;
    },
  };
}

interface Connection {
  /** Resolves when the connection is no more; never rejects. */
  readonly lost: Promise<void>;
  end(): Promise<void>;
}

async function connect(
  config: pg.ClientConfig,
  channel: string,
  onNotify: (payload: string | undefined) => void,
): Promise<Connection> {
  // A listener waits for hours: only its set-up is bounded.
  const client = newClient({ ...config, application_name: `${config.application_name ?? 'tenantry'}-listener` });
  const lost = new Promise<void>((resolve) => {
    client.once('end', () => resolve());
    client.on('error', () => resolve());
  });
  client.on('notification', (message) => onNotify(message.payload ?? ''));
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  const end = () => client.end().catch(() => undefined);
  // After an error the connection may be half open: nothing more will come through it.
  void lost.then(end);
  return { lost, end };
}

async function reconnect(
  config: pg.ClientConfig,
  channel: string,
  onNotify: (payload: string | undefined) => void,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  for (let waitMs = shortestWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await connect(config, channel, onNotify);
    } catch {
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
