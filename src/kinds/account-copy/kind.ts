import { z } from 'zod';
import { sortKeyOf } from '../../aws/partition-rows.ts';
import { untilAnswered } from '../../aws/repeats.ts';
import { ownerOf } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { KindLimits } from '../../contracts/verbs.ts';
import { dynamodbTableName } from '../../formats.ts';
import { fencePlaceOf, lockPlaceOf, tablesInCell } from '../account-fence/places.ts';
import type { Kind, Observation, StepContext } from '../framework/kind.ts';
import { textValue } from '../framework/values.ts';
import { seeLock, takeLock, type Hold } from './lock.ts';
import { createRowMover, moverPermissions, sidesOf, type RowMover, type Sides } from './sides.ts';

/** `position`: of the table's stream (`account-stream`), noted before the first row is read. */
const spec = z.strictObject({ table: dynamodbTableName, toTable: dynamodbTableName, position: textValue });
/** `copied`: rows, by the attempt that came to the end. */
const outputs = z.strictObject({ copied: z.number() });

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
  permissions: moverPermissions,
  inCell: tablesInCell,
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const copied = await copyRows(context);
    return { status: 'ready', outputs: { copied }, detail: 'the rows are copied' };
  },

  observe: async ({ notOurs, previous: { copied }, removingAt }): Promise<Observation> =>
    copied === undefined || removingAt
      ? { status: 'absent', detail: 'nothing was copied', others: await notOurs([]) }
      : { status: 'ready', detail: 'the rows are copied' },

  differs: () => Promise.resolve([]),
  remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }),
};

/** @returns how many rows were copied */
async function copyRows(context: Context): Promise<number> {
  const { aws, log, spec, tags, tenant } = context;
  const sides = sidesOf(tenant.id, spec);
  const hold = await begin(context);
  const { copy, isOurs } = await createRowMover({ aws, hold, sides, owner: ownerOf(tags) });
  const after = await lastCopied(context, sides, isOurs);
  if (after !== undefined)
    log.info({ toTable: sides.to.table, after }, 'copying goes on behind the rows that are there');
  let copied = 0;
  for await (const page of aws.partitions.pages(sides.from, { after })) {
    copied += await copy(page);
    log.debug({ toTable: sides.to.table, copied }, 'a page of rows was copied');
  }
  return copied;
}

/** Takes the lock, so that an attempt before this one writes nothing from now on; only while the fence is open for this very move. */
async function begin(context: Context): Promise<Hold> {
  const { aws, operation, tenant } = context;
  const seen = await seeLock(aws, lockPlaceOf(context));
  const fence = await untilAnswered(() => aws.fences.find(fencePlaceOf(context)));
  if (fence?.state !== 'open' || fence.moveId !== operation.id)
    throw new StepError('READINESS_LOST', `the fence of account ${tenant.id} is not open for this move`, {
      detail: fence ? `it is ${fence.state}, of move ${fence.moveId}; this is move ${operation.id}` : 'it is gone',
    });
  return takeLock(aws, seen);
}

/** The sort key up to which all was copied: rows are written in their order, each part of them as a whole. */
async function lastCopied({ aws }: Context, { to }: Sides, isOurs: RowMover['isOurs']): Promise<string | undefined> {
  for await (const page of aws.partitions.pages(to, { isBackward: true, limit: LAST_ROWS })) {
    const row = page.find((one) => !isOurs(one));
    if (row) return sortKeyOf(row, to);
  }
  return undefined;
}

/** Of a page that is looked for one that is not the control plane's. */
const LAST_ROWS = 50;
