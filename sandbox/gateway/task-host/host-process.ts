import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ContainerRun, HostCommand, HostReport, LocalListener } from './messages.ts';

const childPath = fileURLToPath(new URL('./child.ts', import.meta.url));
const tsxLoader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** What a container's owner is told. */
export interface RunListener {
  readonly started: (port: number) => void;
  /** Once, at the end of the container, wanted or not. */
  readonly exited: (exitCode: number, reason: string) => void;
}

/** One task-host process, seen from the gateway. It dies with the gateway: its IPC channel closes. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly #runs = new Map<string, RunListener>();
  readonly #lists = new Map<number, (listeners: readonly LocalListener[]) => void>();
  #nextListId = 1;
  #ended = false;

  constructor() {
    this.#child = fork(childPath, [], {
      execArgv: ['--import', tsxLoader],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (report: HostReport) => this.#receive(report));
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(run: ContainerRun, listener: RunListener): void {
    if (this.#ended) {
      listener.exited(137, 'the task host has ended');
      return;
    }
    this.#runs.set(run.runId, listener);
    this.#send({ type: 'start', run });
  }

  stop(runId: string): void {
    this.#send({ type: 'stop', runId });
  }

  list(): Promise<readonly LocalListener[]> {
    if (this.#ended) return Promise.resolve([]);
    const requestId = this.#nextListId++;
    return new Promise((resolve) => {
      this.#lists.set(requestId, resolve);
      this.#send({ type: 'list', requestId });
    });
  }

  /** Ends the process: its listeners close with it. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await exited;
    clearTimeout(kill);
  }

  #send(command: HostCommand): void {
    if (!this.#child.connected) return;
    // A send that fails means that the process is gone; its exit is reported by its own event.
    this.#child.send(command, () => undefined);
  }

  #receive(report: HostReport): void {
    switch (report.type) {
      case 'ready':
        return;
      case 'started':
        this.#runs.get(report.runId)?.started(report.port);
        return;
      case 'exited': {
        const listener = this.#runs.get(report.runId);
        this.#runs.delete(report.runId);
        listener?.exited(report.exitCode, report.reason);
        return;
      }
      case 'listeners':
        this.#lists.get(report.requestId)?.(report.listeners);
        this.#lists.delete(report.requestId);
        return;
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const resolve of this.#lists.values()) resolve([]);
    this.#lists.clear();
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const listener of runs) listener.exited(137, 'the task host has ended');
  }
}
