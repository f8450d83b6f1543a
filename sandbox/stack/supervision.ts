import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildExit } from '../parts/child.ts';
import { formatDuration, messageOf, type Log } from '../parts/log.ts';

/** A process of the sandbox that may end before it is told to. */
export interface SupervisedPart {
  /** What people call it. */
  readonly name: string;
  /** The end of the process that runs now; never rejects. */
  readonly exited: () => Promise<ChildExit>;
  /** Starts it again where it was. Absent: what it held is lost, so that nothing is to be started again. */
  readonly restart?: (() => Promise<void>) | undefined;
  /** Whether it holds data, which a restart keeps. */
  readonly holdsData?: boolean;
  /** Where all that it printed is. */
  readonly logFile: string;
}

export interface Supervision {
  /** Resolves, with what people are told, when a part cannot be kept running. */
  readonly failed: Promise<string>;
  /** From now on parts may end. Resolves once none is being started again. */
  stop(): Promise<void>;
}

/** So many ends of one part within {@link WITHIN_MS} are no accident. */
const MOST_ENDS = 4;
const WITHIN_MS = 120_000;
/** Before a part is started again, in ms; twice as long after each further end within {@link WITHIN_MS}. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** A server that was killed leaves its port, its memory and its children for a moment. */
const START_TRIES = 20;
const BETWEEN_TRIES_MS = 500;

/**
 * Starts parts again that end by themselves, and says so. The others need the parts that hold data: while one of these is
 * being started, no other part is, and an end of another part then is not its own fault.
 */
export function supervise(
  parts: readonly SupervisedPart[],
  log: Log,
  firstPauseMs: number = FIRST_PAUSE_MS,
): Supervision {
  const stopping = new AbortController();
  let fail: (reason: string) => void = () => undefined;
  const failed = new Promise<string>((resolve) => (fail = resolve));
  const restarts = new Restarts();
  const keep = async (part: SupervisedPart): Promise<void> => {
    const ends: number[] = [];
    const own: number[] = [];
    for (let startedAt = performance.now(); ; startedAt = performance.now()) {
      const exit = await part.exited();
      if (stopping.signal.aborted) return;
      ends.push(Date.now());
      if (part.holdsData === true || !restarts.ofData(startedAt)) own.push(Date.now());
      const problem = whyNotAgain(part, own);
      if (problem !== undefined) {
        fail(`${ended(part, exit)}${problem}`);
        return;
      }
      log(`${ended(part, exit)}: starting it again`);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (recent(ends) - 1));
      try {
        await restarts.run(part, () => startAgain(part, { log, pauseMs, signal: stopping.signal, restarts }));
      } catch (error) {
        fail(`${part.name} could not be started again: ${messageOf(error)} (see ${part.logFile})`);
        return;
      }
    }
  };
  for (const part of parts) void keep(part);
  return {
    failed,
    stop: async () => {
      stopping.abort();
      await restarts.settled();
    },
  };
}

/** Which parts are being started again. */
class Restarts {
  readonly #all = new Set<Promise<unknown>>();
  readonly #data = new Set<Promise<unknown>>();
  #dataEndedAt = -Infinity;

  async run({ holdsData }: SupervisedPart, restart: () => Promise<void>): Promise<void> {
    const running = restart();
    const settled = Promise.allSettled([running]);
    const sets = holdsData === true ? [this.#all, this.#data] : [this.#all];
    for (const set of sets) set.add(settled);
    try {
      await running;
    } finally {
      for (const set of sets) set.delete(settled);
      if (holdsData === true) this.#dataEndedAt = performance.now();
    }
  }

  /** Whether a part that holds data was being started at any moment since. */
  ofData(since: number): boolean {
    return this.#data.size > 0 || this.#dataEndedAt >= since;
  }

  async dataSettled(): Promise<void> {
    while (this.#data.size > 0) await Promise.all(this.#data);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all);
  }
}

function recent(ends: readonly number[]): number {
  return ends.filter((at) => Date.now() - at < WITHIN_MS).length;
}

function whyNotAgain({ restart, logFile }: SupervisedPart, ends: readonly number[]): string | undefined {
  if (!restart) return `, and all that it held is lost: the sandbox has to be started anew (see ${logFile})`;
  return recent(ends) >= MOST_ENDS ? ` for the ${MOST_ENDS}th time in a row (see ${logFile})` : undefined;
}

interface Start {
  readonly log: Log;
  readonly pauseMs: number;
  /** Ends the tries. */
  readonly signal: AbortSignal;
  readonly restarts: Restarts;
}

async function startAgain({ name, restart, holdsData }: SupervisedPart, start: Start): Promise<void> {
  const { log, pauseMs, signal, restarts } = start;
  const began = Date.now();
  await pause(pauseMs, signal);
  if (holdsData !== true) await restarts.dataSettled();
  for (let left = START_TRIES; !signal.aborted; left -= 1) {
    try {
      await restart?.();
      // A server is waited for until it answers; of other processes no more is known here than that they run.
      log(
        holdsData
          ? `${name} answers again after ${formatDuration(Date.now() - began)}, with its data`
          : `${name} was started again`,
      );
      return;
    } catch (error) {
      if (left <= 1) throw error;
      await pause(BETWEEN_TRIES_MS, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function ended({ name }: SupervisedPart, { code, signal }: ChildExit): string {
  return `${name} ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`})`;
}
