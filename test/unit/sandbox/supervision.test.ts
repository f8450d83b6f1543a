import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChildExit } from '../../../sandbox/parts/child.ts';
import { supervise, type SupervisedPart, type Supervision } from '../../../sandbox/stack/supervision.ts';

/** A part that ends when it is told to. */
class Part implements SupervisedPart {
  readonly name: string;
  readonly holdsData: boolean;
  readonly logFile = 'part.log';
  starts = 0;
  /** Starts that wait at the gate are among them. */
  begun = 0;
  /** When it ended and when it was started again, in turn. */
  readonly timesMs: number[] = [];
  /** A start waits for it. */
  gate = Promise.resolve();
  #end: (exit: ChildExit) => void = () => undefined;
  #exited = this.#run();

  constructor(name: string, holdsData = false) {
    this.name = name;
    this.holdsData = holdsData;
  }

  readonly exited = () => this.#exited;
  readonly restart = async () => {
    this.begun += 1;
    await this.gate;
    this.timesMs.push(performance.now());
    this.#exited = this.#run();
    this.starts += 1;
  };

  end(): void {
    this.timesMs.push(performance.now());
    this.#end({ code: 1, signal: null });
  }

  async endAndComeBack(): Promise<void> {
    const before = this.starts;
    this.end();
    await expect.poll(() => this.starts).toBe(before + 1);
  }

  #run(): Promise<ChildExit> {
    return new Promise((resolve) => (this.#end = resolve));
  }
}

let supervision: Supervision;
let failure: string | undefined;
let open = () => {};
afterEach(() => {
  open();
  return supervision.stop();
});

function start(parts: readonly Part[], firstPauseMs: number): void {
  failure = undefined;
  supervision = supervise(parts, () => undefined, firstPauseMs);
  void supervision.failed.then((reason) => (failure = reason));
}

describe('the supervision of the sandbox', () => {
  it('starts no part while one that holds data is being started, and does not count its end then', async () => {
    const [database, worker] = [new Part('PostgreSQL', true), new Part('the worker')];
    database.gate = new Promise((resolve) => (open = resolve));
    start([database, worker], 1);
    database.end();
    await expect.poll(() => database.begun).toBe(1);
    worker.end();
    await sleep(100);
    expect(worker.begun).toBe(0);
    open();
    await expect.poll(() => worker.starts).toBe(1);
    for (let ends = 1; ends <= 3; ends += 1) await worker.endAndComeBack();
    expect(failure).toBeUndefined();
    worker.end();
    await expect.poll(() => failure).toContain('the worker ended by itself (exit code 1) for the 4th time in a row');
  });

  it('counts every end of a part that holds data', async () => {
    const database = new Part('PostgreSQL', true);
    start([database], 1);
    for (let ends = 1; ends <= 3; ends += 1) await database.endAndComeBack();
    database.end();
    await expect.poll(() => failure).toContain('for the 4th time in a row');
  });

  it('waits twice as long before each further start', async () => {
    const worker = new Part('the worker');
    start([worker], 50);
    for (let ends = 1; ends <= 3; ends += 1) await worker.endAndComeBack();
    const [end1 = 0, start1 = 0, end2 = 0, start2 = 0, end3 = 0, start3 = 0] = worker.timesMs;
    // A timer may fire a millisecond early.
    expect(start1 - end1).toBeGreaterThan(48);
    expect(start2 - end2).toBeGreaterThan(98);
    expect(start3 - end3).toBeGreaterThan(198);
  });

  it('starts nothing more once it is to stop, and does not wait for the pause', async () => {
    const worker = new Part('the worker');
    start([worker], 600_000);
    worker.end();
    await sleep(20);
    await supervision.stop();
    expect(worker.starts).toBe(0);
  });
});
