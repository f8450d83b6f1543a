import { once } from 'node:events';
import type { Worker } from '@temporalio/worker';
import type { Loop } from '../loop.ts';

export interface Beside {
  readonly worker: Pick<Worker, 'runUntil'>;
  readonly heartbeat: Loop;
  readonly loops: readonly Loop[];
}

/**
 * Runs a worker until `stop`. Then the loops start no further round, while the worker's activities finish; the heartbeat goes on
 * until both are done.
 */
export async function runBesideLoops(
  { worker, heartbeat, loops }: Beside,
  stop: AbortSignal,
  onPolling: () => void,
): Promise<void> {
  let stopped: Promise<unknown> | undefined;
  const stopLoops = () => (stopped ??= Promise.all(loops.map((loop) => loop.stop())));
  try {
    // Also when it is to stop already: the connection of a worker that never ran cannot be closed.
    await worker.runUntil(async () => {
      onPolling();
      if (!stop.aborted) await once(stop, 'abort');
      void stopLoops();
    });
  } finally {
    await stopLoops();
    await heartbeat.stop();
  }
}
