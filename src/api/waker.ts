/** Lets one loop sleep until it is called. */
export interface Waker {
  readonly call: () => void;
  readonly reset: () => void;
  readonly wait: (limitMs: number) => Promise<void>;
}

/** Remembers a call that comes while nobody waits, so that none is lost between a look and the wait after it. */
export function waker(ended: AbortSignal): Waker {
  let called = false;
  let resume: () => void = () => undefined;
  const call = () => {
    called = true;
    resume();
  };
  ended.addEventListener('abort', call, { once: true });
  return {
    call,
    reset: () => (called = false),
    wait: (limitMs) =>
      new Promise((resolve) => {
        if (called || ended.aborted) {
          resolve();
          return;
        }
        const timer = setTimeout(resolve, limitMs);
        resume = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
