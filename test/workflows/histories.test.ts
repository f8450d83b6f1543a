import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { DefaultLogger, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandsFile, historyFiles, recordingBundle, replay } from './replay.ts';

let bundle: WorkflowBundle;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
  bundle = await recordingBundle();
});

describe('recorded histories', () => {
  it.each(historyFiles().map((file) => [basename(file), file]))(
    '%s replays, with the very same commands',
    async (_name, file) => {
      const { error, commands } = await replay(bundle, file);
      expect(error).toBeUndefined();
      // Replay is blind to arguments, time-outs and durations. After a wanted change: record-histories.ts --commands.
      expect(commands).toEqual(JSON.parse(readFileSync(commandsFile(file), 'utf8')));
    },
  );

  it('exist', () => {
    expect(historyFiles().length).toBeGreaterThanOrEqual(8);
  });
});
