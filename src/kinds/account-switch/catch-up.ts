import { z } from 'zod';
import type { StreamPosition, Streams } from '../../aws/dynamodb-streams.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { RowMover, Sides } from '../account-copy/sides.ts';

/** Brings over what changed since the rows were copied. */
export interface CatchUp {
  /** What tells of the changes, for people. */
  readonly source: string;
  /**
   * Reads up to what came when it was called.
   * @param onPage called for each page; what it throws ends it
   * @returns how often the account's rows changed since the last call
   * @throws StepError DEADLINE_EXCEEDED when the stream grows faster than it is read
   */
  readonly next: (onPage: () => void) => Promise<number>;
}

const position: z.ZodType<StreamPosition> = z.object({
  stream: z.string(),
  open: z.record(z.string(), z.string()),
});

export interface CatchUpCall {
  readonly streams: Streams;
  readonly mover: RowMover;
  readonly sides: Sides;
  /** As `account-stream` noted it; '' or undefined: there is none. */
  readonly noted: string | undefined;
}

/** Undefined: no stream tells, and both sides are to be compared instead. */
export async function createCatchUp({ mover, noted, sides, streams }: CatchUpCall): Promise<CatchUp | undefined> {
  if (noted === undefined || noted === '') return undefined;
  const from = readPosition(noted);
  // One that was switched off and on again does not have all changes.
  if ((await streams.findStream(sides.from.table)) !== from.stream) return undefined;
  const reader = streams.readFrom(from);
  const { name, value } = sides.from.partitionKey;
  return {
    source: `stream ${from.stream}`,
    async next(onPage) {
      const sinceMs = Date.now();
      const giveUpAtMs = performance.now() + LONGEST_LOOK_MS;
      for (let own = 0; ;) {
        onPage();
        const { isCaughtUp, keys } = await reader.read(sinceMs);
        const changed = keys.filter((key) => key[name]?.S === value).map((key) => key[sides.from.sortKey]?.S ?? '');
        await mover.bringOver(changed);
        own += changed.length;
        if (isCaughtUp) return own;
        if (performance.now() > giveUpAtMs) throw tooFast(`${from.stream} is written to faster than it is read`);
      }
    },
  };
}

/** A day's changes of a large table are read by then. */
const LONGEST_LOOK_MS = 2 * 60 * 60_000;
/** So few changes of a look are what comes while it is made. */
const FEW = 500;
/** Looks, each over what came during the one before it. */
const MOST_LOOKS = 20;

/** Until a look finds little. @throws StepError DEADLINE_EXCEEDED when none of them does */
export async function untilLittleIsLeft({ next }: CatchUp, onPage: () => void): Promise<void> {
  let own = 0;
  for (let looks = 1; looks <= MOST_LOOKS; looks += 1) {
    own = await next(onPage);
    if (own <= FEW) return;
  }
  throw tooFast(`rows of the account change faster than they are brought over: ${own} times in look ${MOST_LOOKS}`);
}

function tooFast(why: string): StepError {
  return new StepError('DEADLINE_EXCEEDED', why, { detail: 'move the account when the table is written to less' });
}

function readPosition(text: string): StreamPosition {
  try {
    return position.parse(JSON.parse(text));
  } catch (cause) {
    throw new StepError('BLUEPRINT_INVALID', 'the position in the stream is none that account-stream noted', { cause });
  }
}
