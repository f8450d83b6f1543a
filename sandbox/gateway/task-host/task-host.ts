import { HostProcess, type RunListener } from './host-process.ts';
import type { ContainerRun, LocalListener } from './messages.ts';

export type TaskHostMode = 'shared' | 'process-per-task';

/** Runs containers in child processes: one for all of them, or one each (which a person can see and kill). */
export class TaskHost {
  readonly #mode: TaskHostMode;
  #shared: HostProcess | undefined;
  readonly #byRun = new Map<string, HostProcess>();
  #closed = false;

  constructor(mode: TaskHostMode) {
    this.#mode = mode;
    if (mode === 'shared') this.#shared = new HostProcess();
  }

  /** Process ids of all task hosts that are alive. */
  pids(): number[] {
    return this.#processes().flatMap((p) => (p.pid === undefined ? [] : [p.pid]));
  }

  start(run: ContainerRun, listener: RunListener): void {
    if (this.#closed) return;
    const host = this.#processFor();
    this.#byRun.set(run.runId, host);
    host.start(run, {
      started: listener.started,
      exited: (exitCode, reason) => {
        this.#byRun.delete(run.runId);
        if (host !== this.#shared) void host.close();
        listener.exited(exitCode, reason);
      },
    });
  }

  stop(runId: string): void {
    this.#byRun.get(runId)?.stop(runId);
  }

  /** Listeners that are open now, as the processes themselves tell. */
  async listeners(): Promise<LocalListener[]> {
    return (await Promise.all(this.#processes().map((p) => p.list()))).flat();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#processes().map((p) => p.close()));
  }

  #processFor(): HostProcess {
    if (this.#mode === 'process-per-task') return new HostProcess();
    // A shared host that was killed took its tasks along; the next ones get a new one.
    if (!this.#shared || this.#shared.ended) this.#shared = new HostProcess();
    return this.#shared;
  }

  #processes(): HostProcess[] {
    const all = new Set(this.#byRun.values());
    if (this.#shared) all.add(this.#shared);
    return [...all].filter((p) => !p.ended);
  }
}
