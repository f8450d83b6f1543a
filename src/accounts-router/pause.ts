/** @throws the signal's reason when it ends the wait, or has ended it before */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return unlessAborted(new Promise<void>((resolve) => setTimeout(resolve, ms)), signal);
}

/**
 * Waits for what others wait for, too: the signal ends this wait, not what is waited for.
 * @throws the signal's reason
 */
export function unlessAborted<T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return awaited;
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(reasonOf(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** As the SDK ends a call whose signal aborts: with an error, whatever the reason is. */
function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new DOMException('Request aborted', 'AbortError');
}
