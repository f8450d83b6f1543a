import { AsyncLocalStorage } from 'node:async_hooks';
import type { Schedule } from './schedule.ts';

/** What runs, and whether it stands still. */
export interface Running {
  isStopped: boolean;
}

/** The process that the code which runs now belongs to. */
export const running = new AsyncLocalStorage<Running>();

/**
 * Timers that are due while their process stands still (a frozen Lambda, a suspended machine) come some time after it goes on: what it was called
 * for may come first.
 * @returns what takes it back
 */
export function holdTimersOfFrozen(schedule: Schedule): () => void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const cleared = new WeakSet<object>();
  const hold = (run: () => void, ms?: number) => {
    const process = running.getStore();
    const due = () => {
      if (!process?.isStopped) {
        run();
        return;
      }
      void schedule.turn(() => !process.isStopped).then(() => cleared.has(timer) || run());
    };
    const timer = set(due, ms);
    return timer;
  };
  globalThis.setTimeout = Object.assign(hold, set);
  globalThis.clearTimeout = (timer) => {
    if (typeof timer === 'object') cleared.add(timer);
    clear(timer);
  };
  return () => Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
}
