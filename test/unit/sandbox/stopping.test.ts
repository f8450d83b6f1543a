import { describe, expect, it } from 'vitest';
import { startChild } from '../../../sandbox/parts/child.ts';
import { atTime } from '../../../sandbox/parts/log.ts';
import { SHUTDOWN_MS } from '../../../sandbox/parts/shutdown.ts';
import { KILL_AFTER_MS, restartable } from '../../../sandbox/stack/processes.ts';
import { STOP_MS } from '../../../src/cli/process.ts';

describe('the stop of the sandbox', () => {
  it('leaves a worker the time that it takes for itself, and both processes together', () => {
    expect(KILL_AFTER_MS).toBeGreaterThan(STOP_MS);
    expect(SHUTDOWN_MS).toBeGreaterThan(2 * KILL_AFTER_MS);
  });

  it.each([
    {
      waits: 'says what it waits for',
      afterMs: 2_000,
      said: [/^waiting for the worker to stop: .* may take up to 30 s$/],
    },
    { waits: 'says nothing of a process that stops at once', afterMs: 0, said: [] },
  ])('$waits', async ({ afterMs, said }) => {
    const lines: string[] = [];
    const code = `process.on('SIGTERM', () => setTimeout(() => process.exit(), ${afterMs})); setInterval(() => {}, 1000); console.log('up')`;
    const start = () => startChild({ name: 'slow', command: process.execPath, args: ['-e', code] });
    const part = await restartable({ name: 'the worker', logFile: '' }, start, (line) => lines.push(line));
    await expect.poll(() => part.current().output()).toContain('up');
    await part.stop();
    expect(lines).toEqual(said.map((pattern) => expect.stringMatching(pattern) as string));
    expect(await part.current().exited).toEqual({ code: 0, signal: null });
  });
});

it('a line of the sandbox begins with the time of day', () => {
  expect(atTime('ready', new Date(2026, 1, 3, 4, 5, 6))).toBe('04:05:06  ready');
});
