import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A running LISTEN. */
export interface Listening {
  stop(): Promise<void>;
}

const longestWaitMs = 5_000;

/**
 * LISTENs with a connection of its own and connects again for as long as it takes when that is lost.
 *
 * @param onNotify the payload; undefined after a reconnection, when notifications may have been missed.
 */
export async function startListening(
  config: pg.ClientConfig,
  channel: string,
  onNotify: (payload: string | undefined) => void,
): Promise<Listening> {
  const stopped = new AbortController();
  let client = await connect(config, channel, onNotify);
  const watching = (async () => {
    for (;;) {
      await client.lost;
      const again = await reconnect(config, channel, onNotify, stopped.signal);
      if (again === undefined) return;
      client = again;
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
  const client = new pg.Client({ ...config, application_name: `${config.application_name ?? 'tenantry'}-listener` });
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
  return { lost, end: () => client.end().catch(() => undefined) };
}

async function reconnect(
  config: pg.ClientConfig,
  channel: string,
  onNotify: (payload: string | undefined) => void,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  for (let waitMs = 100; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await connect(config, channel, onNotify);
    } catch {
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
