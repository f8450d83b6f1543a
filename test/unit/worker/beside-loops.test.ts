import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { runBesideLoops } from '../../../src/worker/beside-loops.ts';
import { startLoop } from '../../../src/loop.ts';

const log = pino({ level: 'silent' });

/** Polls until it is told to stop, then finishes its activities until `finish` is called. */
function fakeWorker() {
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const runUntil = async (until: unknown) => {
    await (until as () => Promise<void>)();
    await finished;
  };
  return { worker: { runUntil } as Parameters<typeof runBesideLoops>[0]['worker'], finish };
}

function countingLoop(name: string) {
  const counted = { rounds: 0, stop: undefined as AbortSignal | undefined };
  const loop = startLoop({ name, everyMs: 1, log }, (stop) => {
    counted.rounds += 1;
    counted.stop = stop;
    return Promise.resolve();
  });
  return { loop, counted };
}

describe('a worker that is to stop', () => {
  it('starts no further round of a loop while its activities finish, and says that it lives until they have', async () => {
    const { worker, finish } = fakeWorker();
    const [mailer, heartbeat] = [countingLoop('mailer'), countingLoop('heartbeat')];
    const stop = new AbortController();
    const beside = { worker, heartbeat: heartbeat.loop, loops: [mailer.loop] };
    const run = runBesideLoops(beside, stop.signal, () => undefined);
    await expect.poll(() => mailer.counted.rounds).toBeGreaterThan(1);
    stop.abort();
    await sleep(20);
    const [rounds, beats] = [mailer.counted.rounds, heartbeat.counted.rounds];
    await expect.poll(() => heartbeat.counted.rounds).toBeGreaterThan(beats + 2);
    expect(mailer.counted.rounds).toBe(rounds);
    expect(mailer.counted.stop?.aborted).toBe(true);
    finish();
    await run;
    expect(heartbeat.counted.stop?.aborted).toBe(true);
  });

  it('stops its loops when it fails by itself', async () => {
    const [mailer, heartbeat] = [countingLoop('mailer'), countingLoop('heartbeat')];
    const worker = { runUntil: () => Promise.reject(new Error('the connection is lost')) };
    const beside = { worker, heartbeat: heartbeat.loop, loops: [mailer.loop] };
    await expect(runBesideLoops(beside, new AbortController().signal, () => undefined)).rejects.toThrow('is lost');
    expect([mailer, heartbeat].map(({ counted }) => counted.stop?.aborted)).toEqual([true, true]);
  });
});
