import pg from 'pg';

/**
 * A client that always hears an `error` event. PostgreSQL may end a session at any moment, also between the moment that a
 * pool hands it out and the moment that its user listens: an event without a listener ends the process. Nothing is lost by
 * ignoring it: the query under way, or the next one, fails with the same reason.
 */
class ListenedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** A client that is not connected yet. The only place, with {@link newPool}, that makes one (a lint rule holds it). */
export function newClient(config: pg.ClientConfig): pg.Client {
  return new ListenedClient(config);
}

/** A pool whose sessions may end at any time: an idle one that the server closes is replaced by the next use. */
export function newPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...config, Client: ListenedClient });
  pool.on('error', () => undefined);
  return pool;
}
