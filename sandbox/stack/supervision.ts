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
/** A server that was killed leaves its port, its memory and its children for a moment. */
const START_TRIES = 20;
const BETWEEN_TRIES_MS = 500;

/** Starts parts again that end by themselves, and says so. */
export function supervise(parts: readonly SupervisedPart[], log: Log): Supervision {
  const state = { stopping: false };
  let fail: (reason: string) => void = () => undefined;
  const failed = new Promise<string>((resolve) => (fail = resolve));
  const restarts = new Set<Promise<void>>();
  const keep = async (part: SupervisedPart): Promise<void> => {
    const ends: number[] = [];
    for (;;) {
      const exit = await part.exited();
      if (state.stopping) return;
      ends.push(Date.now());
      const problem = whyNotAgain(part, ends);
      if (problem !== undefined) {
        fail(`${ended(part, exit)}${problem}`);
        return;
      }
      log(`${ended(part, exit)}: starting it again`);
      const restart = startAgain(part, log, () => state.stopping);
      const settled = restart.then(
        () => undefined,
        () => undefined,
      );
      restarts.add(settled);
      try {
        await restart;
      } catch (error) {
        fail(`${part.name} could not be started again: ${messageOf(error)} (see ${part.logFile})`);
        return;
      } finally {
        restarts.delete(settled);
      }
    }
  };
  for (const part of parts) void keep(part);
  return {
    failed,
    stop: async () => {
      state.stopping = true;
      await Promise.all(restarts);
    },
  };
}

function whyNotAgain({ restart, logFile }: SupervisedPart, ends: readonly number[]): string | undefined {
  if (!restart) return `, and all that it held is lost: the sandbox has to be started anew (see ${logFile})`;
  const recent = ends.filter((at) => Date.now() - at < WITHIN_MS);
  return recent.length >= MOST_ENDS ? ` for the ${MOST_ENDS}th time in a row (see ${logFile})` : undefined;
}

async function startAgain(
  { name, restart, holdsData }: SupervisedPart,
  log: Log,
  stopping: () => boolean,
): Promise<void> {
  const began = Date.now();
  for (let left = START_TRIES; !stopping(); left -= 1) {
    try {
      await restart?.();
      log(`${name} runs again after ${formatDuration(Date.now() - began)}${holdsData ? ', with its data' : ''}`);
      return;
    } catch (error) {
      if (left <= 1) throw error;
      await sleep(BETWEEN_TRIES_MS);
    }
  }
}

function ended({ name }: SupervisedPart, { code, signal }: ChildExit): string {
  return `${name} ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`})`;
}
