import { EVENTS_CHANNEL } from '../db/events.ts';
import type { Database } from '../db/database.ts';
import type { ClientDeps } from './requests.ts';

/** Tells who follows a tenant that it may have new events; one LISTEN for all followers, begun with the first. */
export interface EventFeed {
  subscribe(tenantId: string, onEvents: () => void): () => void;
  close(): Promise<void>;
}

export function createEventFeed(database: Database, log: ClientDeps['log']): EventFeed {
  const followers = new Map<string, Set<() => void>>();
  let listening: ReturnType<Database['listen']> | undefined;

  const announce = (tenantId: string | undefined) => {
    // Undefined: the connection was lost for a while, and anybody may have missed something.
    const woken = tenantId === undefined ? [...followers.values()] : [followers.get(tenantId) ?? new Set()];
    for (const callbacks of woken) for (const callback of callbacks) callback();
  };
  const listen = () => {
    if (listening) return;
    listening = database.listen(EVENTS_CHANNEL, announce);
    listening.catch((error: unknown) => {
      // Followers poll besides; the next one tries again.
      listening = undefined;
      log.warn({ err: error }, 'listening for events failed');
    });
  };

  return {
    subscribe: (tenantId, onEvents) => {
      const callbacks = followers.get(tenantId) ?? new Set();
      followers.set(tenantId, callbacks.add(onEvents));
      listen();
      return () => {
        callbacks.delete(onEvents);
        if (callbacks.size === 0 && followers.get(tenantId) === callbacks) followers.delete(tenantId);
      };
    },
    close: async () => {
      followers.clear();
      await listening?.then(
        (running) => running.stop(),
        () => undefined,
      );
    },
  };
}
