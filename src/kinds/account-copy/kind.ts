import { z } from 'zod';
import { isMarked, sortKeyOf } from '../../aws/partition-rows.ts';
import { latenessWindowMs, type KindLimits } from '../../contracts/verbs.ts';
import { readClock } from '../../db/clock.ts';
import { dynamodbTableName } from '../../formats.ts';
import type { Kind, Observation, StepContext } from '../framework/kind.ts';
import { textValue } from '../framework/values.ts';
import { createRowMover, sidesOf, type Sides } from './sides.ts';

/** `position`: of the table's stream (`account-stream`), noted before the first row is read. */
const spec = z.strictObject({ table: dynamodbTableName, toTable: dynamodbTableName, position: textValue });
/** `copied`: rows, by the attempt that came to the end. `settledAt`: ISO 8601, when no attempt before it can write any more. */
const outputs = z.strictObject({ copied: z.number(), settledAt: z.string() });

type CopySpec = z.output<typeof spec>;
type CopyOutputs = z.output<typeof outputs>;
type Context = StepContext<CopySpec, CopyOutputs>;

// Millions of rows take hours; heartbeats show that the worker lives.
const limits: KindLimits = { ensure: { startToCloseMs: 12 * 60 * 60_000, heartbeatMs: 10_000 } };

/**
 * Copies an account's rows, all but the control plane's, into its own table. The rows are written to meanwhile: what changes after it was read
 * is brought over by `account-switch`. It deletes nothing: the copies go with their table.
 */
export const accountCopy: Kind<CopySpec, CopyOutputs, never> = {
  name: 'account-copy',
  spec,
  outputs,
  limits,
  types: {},
  permissions: ['dynamodb:Query', 'dynamodb:BatchWriteItem'],
  inCell: ({ table, toTable }, within) => [...within.table(table), ...within.tenantId(toTable)],
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const startedAt = await readClock(context.db);
    const copied = await copyRows(context, sidesOf(context.tenant.id, context.spec));
    // What an attempt before this one sent may still be written over what a later step brings.
    const settlesMs = context.mayExist ? latenessWindowMs(limits, 'ensure') : 0;
    const settledAt = new Date(startedAt.getTime() + settlesMs);
    return { ...(await settled(context, settledAt)), outputs: { copied, settledAt: settledAt.toISOString() } };
  },

  async observe(context): Promise<Observation> {
    const {
      notOurs,
      previous: { settledAt },
      removingAt,
    } = context;
    if (settledAt === undefined || removingAt)
      return { status: 'absent', detail: 'nothing was copied', others: await notOurs([]) };
    return settled(context, new Date(settledAt));
  },

  differs: () => Promise.resolve([]),
  remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }),
};

async function settled(
  { db }: Pick<Context, 'db'>,
  at: Date,
): Promise<{ readonly status: 'ready' | 'pending'; readonly detail: string }> {
  const isOver = (await readClock(db)).getTime() >= at.getTime();
  return isOver
    ? { status: 'ready', detail: 'the rows are copied' }
    : { status: 'pending', detail: `the rows are copied; an earlier attempt may write until ${at.toISOString()}` };
}

/** @returns how many rows were copied */
async function copyRows({ aws: { partitions }, log }: Context, sides: Sides): Promise<number> {
  const { refuseTaken } = await createRowMover(partitions, sides);
  const after = await lastWhole(partitions, sides);
  if (after !== undefined)
    log.info({ toTable: sides.to.table, after }, 'copying goes on behind the rows that are there');
  let copied = 0;
  for await (const page of partitions.pages(sides.from, { after })) {
    const rows = page.filter((row) => !isMarked(row));
    refuseTaken(rows.map((row) => sortKeyOf(row, sides.from)));
    await partitions.putRows(sides.to.table, rows);
    copied += rows.length;
    log.debug({ toTable: sides.to.table, copied }, 'a page of rows was copied');
  }
  return copied;
}

/**
 * The sort key up to which all was copied. Rows are written in their order, a batch at a time: of those that are there, all but the last
 * batch's are whole.
 */
async function lastWhole(partitions: Context['aws']['partitions'], { to }: Sides): Promise<string | undefined> {
  let seen = 0;
  for await (const page of partitions.pages(to, { isBackward: true, limit: 2 * BATCH }))
    for (const row of page) {
      if (isMarked(row)) continue;
      seen += 1;
      if (seen > BATCH) return sortKeyOf(row, to);
    }
  return undefined;
}

/** Rows of one BatchWriteItem. */
const BATCH = 25;
