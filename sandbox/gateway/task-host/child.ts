// Program of a task-host process: runs demo containers on behalf of the gateway, told over IPC.
import { startDemoApp, type DemoApp } from '../../demo-app/app.ts';
import type { ContainerRun, HostCommand, HostReport } from './messages.ts';

const running = new Map<string, Promise<DemoApp>>();

function report(message: HostReport): void {
  if (process.connected) process.send?.(message);
}

async function start(run: ContainerRun): Promise<void> {
  const { runId } = run;
  const app = startDemoApp({
    ...run,
    onExit: (exitCode, reason) => {
      running.delete(runId);
      report({ type: 'exited', runId, exitCode, reason });
    },
  });
  running.set(runId, app);
  try {
    report({ type: 'started', runId, port: (await app).port });
  } catch (error) {
    running.delete(runId);
    report({ type: 'exited', runId, exitCode: 1, reason: error instanceof Error ? error.message : String(error) });
  }
}

async function stop(runId: string): Promise<void> {
  const app = running.get(runId);
  if (!app) return;
  running.delete(runId);
  await (await app).close();
  report({ type: 'exited', runId, exitCode: 0, reason: 'stopped' });
}

async function list(requestId: number): Promise<void> {
  const listeners = await Promise.all([...running].map(async ([runId, app]) => ({ runId, port: (await app).port })));
  report({ type: 'listeners', requestId, listeners });
}

function handle(command: HostCommand): Promise<void> {
  switch (command.type) {
    case 'start':
      return start(command.run);
    case 'stop':
      return stop(command.runId);
    case 'list':
      return list(command.requestId);
  }
}

process.on('message', (command: HostCommand) => {
  handle(command).catch((error: unknown) => {
    process.stderr.write(`task host: ${command.type} failed: ${String(error)}\n`);
  });
});
// The channel closes when the gateway ends, however it ends: nothing may outlive it.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the gateway decides when its tasks stop.
process.on('SIGINT', () => undefined);
report({ type: 'ready' });
