import { z } from 'zod';
import { currentCallContext, inCallContext } from '../aws/call-context.ts';
import type { Caller } from '../contracts/caller.ts';
import type { MarkVerdict } from '../contracts/sweep.ts';
import {
  findMarkedEvent,
  findNewestEvent,
  recordAdoption,
  rememberMarked,
  wasMarked,
  type MarkedEvent,
} from '../db/sweep-marks.ts';
import type { SweepDeps } from './dependencies.ts';

type MarkDeps = Pick<SweepDeps, 'database' | 'installationId'> & {
  readonly aws: (cellId: string) => Pick<ReturnType<SweepDeps['aws']>, 'parameters'>;
};

/** Where the mark of a cell is kept: outside the database, so that it does not go back with it. */
export function markName(installationId: string, cell: string): string {
  return `/tenantry/${installationId}/${cell}/ledger-mark`;
}

const markSchema = z.object({
  version: z.literal(1),
  eventId: z.int().min(0),
  at: z.string(),
  digest: z.string(),
  markedAt: z.string(),
});

/** The mark as it is kept, before anybody believes it. */
type Kept = { readonly text: string | undefined } | { readonly unreachable: string };

async function readKept(deps: MarkDeps, cell: string): Promise<Kept> {
  try {
    return { text: await deps.aws(cell).parameters.readParameter(markName(deps.installationId, cell)) };
  } catch (error) {
    return { unreachable: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Whether this ledger holds the event that the mark names, the very same row. An id alone would not do: a restored ledger gives
 * ids again. Changes nothing.
 */
export async function checkMark(deps: MarkDeps, cell: string): Promise<MarkVerdict> {
  return (await readVerdict(deps, cell)).verdict;
}

interface Judged {
  readonly verdict: MarkVerdict;
  readonly marked: MarkedEvent | undefined;
  readonly text: string | undefined;
}

async function readVerdict(deps: MarkDeps, cell: string): Promise<Judged> {
  const kept = await readKept(deps, cell);
  const as = (state: MarkVerdict['state'], detail: string, marked?: MarkedEvent): Judged => ({
    verdict: { state, detail },
    marked,
    text: 'text' in kept ? kept.text : undefined,
  });
  if (!('text' in kept) || kept.text === undefined) return unmarked(deps, cell, kept);
  const mark = parseMark(kept.text);
  if (!mark) return as('broken', `the parameter ${markName(deps.installationId, cell)} holds no mark of the ledger`);
  const found = await findMarkedEvent(deps.database, mark.eventId);
  const named = `event ${mark.eventId} of ${mark.at}, which was marked at ${mark.markedAt}`;
  if (!found) return as('broken', `the ledger does not hold ${named}: it is older than its mark`);
  if (found.digest !== mark.digest)
    return as('broken', `the ledger holds another ${named}: it was restored and went on`);
  return as('intact', `the ledger holds ${named}`, found);
}

/** No mark to judge by: nobody can read it, or none is there. */
async function unmarked({ database, installationId }: MarkDeps, cell: string, kept: Kept): Promise<Judged> {
  const name = markName(installationId, cell);
  const wasMade = await wasMarked(database, cell);
  const as = (state: MarkVerdict['state'], detail: string): Judged => ({
    verdict: { state, detail, wasMade },
    marked: undefined,
    text: undefined,
  });
  if ('unreachable' in kept)
    return as('unreachable', `the mark of cell ${cell} could not be read: ${kept.unreachable}`);
  return wasMade
    ? as('missing', `cell ${cell} was marked before, and its parameter ${name} is gone`)
    : as('missing', `cell ${cell} has no parameter ${name} yet`);
}

function parseMark(text: string): z.output<typeof markSchema> | undefined {
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export interface Advance {
  readonly verdict: MarkVerdict;
  readonly moved: boolean;
}

/**
 * Moves the mark on to the newest event: only over an intact continuity, and by one process at a time. The mark of each cell names
 * the newest event of the whole ledger: its cells are restored together.
 *
 * @param mayBegin asked when there is no mark and the ledger knows of none: whether the first one may be made. Why that is
 * not always so: docs/adr/0005-sweep.md
 */
export async function advanceMark(
  deps: MarkDeps,
  cell: string,
  mayBegin: () => Promise<{ readonly may: boolean; readonly why: string }>,
): Promise<Advance> {
  const ran = await deps.database.withLock(`ledger mark ${cell}`, async () => {
    const { verdict, marked } = await readVerdict(deps, cell);
    if (verdict.state === 'missing') return begin(deps, cell, verdict, mayBegin);
    if (verdict.state !== 'intact' || !marked) return { verdict, moved: false };
    return move(deps, cell, verdict, marked);
  });
  // Another process is at it: what it finds is what counts.
  return ran?.value ?? { verdict: await checkMark(deps, cell), moved: false };
}

async function begin(
  deps: MarkDeps,
  cell: string,
  verdict: MarkVerdict,
  mayBegin: () => Promise<{ readonly may: boolean; readonly why: string }>,
): Promise<Advance> {
  if (verdict.wasMade === true) return { verdict, moved: false };
  const newest = await findNewestEvent(deps.database);
  if (!newest) return { verdict: { ...verdict, detail: `${verdict.detail}, and the ledger no event` }, moved: false };
  const { may, why } = await mayBegin();
  if (!may)
    return {
      verdict: { ...verdict, detail: `${verdict.detail}; none is made by itself, because ${why}` },
      moved: false,
    };
  return move(deps, cell, verdict, undefined);
}

async function move(
  deps: MarkDeps,
  cell: string,
  verdict: MarkVerdict,
  marked: MarkedEvent | undefined,
): Promise<Advance> {
  const newest = await findNewestEvent(deps.database);
  if (!newest || (marked && newest.eventId <= marked.eventId)) return { verdict, moved: false };
  try {
    await writeMark(deps, cell, newest);
    // From here on a parameter that is lost is not made anew by itself.
    await rememberMarked(deps.database, cell);
  } catch (error) {
    const detail = `the mark of cell ${cell} could not be written: ${error instanceof Error ? error.message : String(error)}`;
    return { verdict: { state: 'unreachable', detail, wasMade: marked !== undefined }, moved: false };
  }
  return { verdict: { state: 'intact', detail: `marked at event ${newest.eventId} of ${newest.at}` }, moved: true };
}

function writeMark(deps: MarkDeps, cell: string, event: MarkedEvent): Promise<void> {
  return writeText(deps, cell, markText(event));
}

/** Longest that the mark's write may take, in ms. */
const WRITE_MS = 15_000;

/** In a call context of its own: whoever reports must change nothing, and the mark is all that a report writes. */
function writeText(deps: MarkDeps, cell: string, text: string): Promise<void> {
  const outer = currentCallContext()?.signal;
  const limit = AbortSignal.timeout(WRITE_MS);
  const context = {
    beforeMutation: () => Promise.resolve(),
    signal: outer ? AbortSignal.any([outer, limit]) : limit,
  };
  return inCallContext(context, () =>
    deps.aws(cell).parameters.writeParameter(markName(deps.installationId, cell), text),
  );
}

function markText(event: MarkedEvent): string {
  return JSON.stringify({ version: 1, ...event, markedAt: new Date().toISOString() });
}

/**
 * An operator takes this ledger for the true one, whatever the mark says. Written down before it is done.
 * @throws Error when the mark cannot be written, or the ledger holds no event
 */
export async function adoptLedger(
  deps: MarkDeps,
  cell: string,
  adoption: { readonly by: string; readonly reason: string; readonly caller: Caller },
): Promise<MarkVerdict> {
  const { verdict, text } = await readVerdict(deps, cell);
  const newest = await findNewestEvent(deps.database);
  if (!newest) throw new Error('the ledger holds no event to mark');
  const after = markText(newest);
  await recordAdoption(deps.database, { cell, ...adoption, verdict, before: text, after });
  await rememberMarked(deps.database, cell);
  await writeText(deps, cell, after);
  return checkMark(deps, cell);
}
