import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { StreamPosition, Streams } from '../../aws/dynamodb-streams.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { RowMover, Sides } from '../account-copy/sides.ts';

/** Brings over what changed since the rows were copied. */
export interface CatchUp {
  /** What tells of the changes, for people. */
  readonly source: string;
  /** @returns how many of the account's rows changed, and how many changes there were in all, since the last call */
  readonly next: () => Promise<{ readonly own: number; readonly all: number }>;
}

const position: z.ZodType<StreamPosition> = z.object({
  stream: z.string(),
  open: z.record(z.string(), z.string()),
  closed: z.array(z.string()),
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
    async next() {
      const { keys } = await reader.read();
      const own = new Set(keys.filter((key) => key[name]?.S === value).map((key) => key[sides.from.sortKey]?.S ?? ''));
      await mover.bringOver(own);
      return { own: own.size, all: keys.length };
    },
  };
}

/** So few changes of a look are what comes while it is made. */
const FEW = 100;
const LOOK_EVERY_MS = 200;

/** Until little is left, so many looks in a row. */
export async function untilLittleIsLeft(
  { next }: CatchUp,
  { onLook, signal }: { readonly onLook: () => void; readonly signal: AbortSignal },
  looks = 2,
): Promise<void> {
  for (let quiet = 0; quiet < looks;) {
    onLook();
    const { all, own } = await next();
    quiet = own <= FEW / 4 && all < FEW ? quiet + 1 : 0;
    if (all < FEW && quiet < looks) await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function readPosition(text: string): StreamPosition {
  try {
    return position.parse(JSON.parse(text));
  } catch (cause) {
    throw new StepError('BLUEPRINT_INVALID', 'the position in the stream is none that account-stream noted', { cause });
  }
}
