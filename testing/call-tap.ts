import type { Call } from '../sandbox/gateway/gateway.ts';

type Watcher = (call: Call) => void;

/** Shows AWS calls with their contents, which the gateway's log leaves out, before any fault and before their effect. */
export class CallTap {
  readonly #watchers = new Set<Watcher>();

  show(call: Call): void {
    for (const watcher of this.#watchers) watcher(call);
  }

  /** Until the function that it answers is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
