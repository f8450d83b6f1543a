import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Worker, type ReplayResult, type WorkflowBundle } from '@temporalio/worker';
import type { Command } from './command-recorder.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Recorded {
  readonly workflowId: string;
  /** A protobuf message as plain JSON (enums as names, bytes as base64). */
  readonly history: Record<string, unknown>;
}

/** Recorded histories, by version of the software that made them. */
export const historiesDirectory = here('../histories');

/** Paths of all recorded histories. */
export function historyFiles(): string[] {
  return readdirSync(historiesDirectory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.history.json'))
    .sort()
    .map((file) => join(historiesDirectory, file));
}

/** The file of the commands that the code issues when it replays this history. */
export function commandsFile(historyFile: string): string {
  return historyFile.replace(/\.history\.json$/, '.commands.json');
}

/** The product's own, and the recorder of commands. */
const interceptorModules = [here('../../src/workflows/interceptors.ts'), here('./command-recorder.ts')];

/** The workflows with the recorder of commands. */
export function recordingBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: here('../../src/workflows/index.ts'),
    workflowInterceptorModules: interceptorModules,
    failureConverterPath: here('../../src/temporal/failure-converter.cjs'),
    logger: new DefaultLogger('ERROR'),
  });
}

/** Replays a recorded history against the code as it is. */
export async function replay(
  workflowBundle: WorkflowBundle,
  file: string,
): Promise<{ error: ReplayResult['error']; commands: unknown }> {
  const { workflowId, history } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
  const recorded = { workflowId, history: proto.temporal.api.history.v1.History.fromObject(history) };
  const commands: Command[] = [];
  const command = { fn: (_info: unknown, c: Command) => void commands.push(c), callDuringReplay: true };
  const options = {
    workflowBundle,
    interceptors: { workflowModules: interceptorModules },
    dataConverter: { failureConverterPath: here('../../src/temporal/failure-converter.cjs') },
    sinks: { recorder: { command } },
  };
  let error: ReplayResult['error'];
  for await (const result of Worker.runReplayHistories(options, [recorded])) error = result.error;
  return { error, commands: JSON.parse(JSON.stringify(commands)) };
}
