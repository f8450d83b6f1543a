import { z } from 'zod';
import { dynamodbTableName } from '../../formats.ts';
import type { Kind } from '../framework/kind.ts';

/** Of some 900 shards that take records: the ledger keeps it, and each look at the step reads it. */
export const LONGEST_POSITION = 65_536;

const spec = z.strictObject({ table: dynamodbTableName });
/** `position`: what `account-switch` reads on from; '' when the table has no stream. */
const outputs = z.strictObject({ position: z.string().max(LONGEST_POSITION) });

/**
 * Notes where a table's stream is, before the first of an account's rows is copied: the ledger keeps it, so that whatever changes from then
 * on is seen, however often the copying is begun anew. It makes nothing.
 */
export const accountStream: Kind<z.output<typeof spec>, z.output<typeof outputs>, never> = {
  name: 'account-stream',
  spec,
  outputs,
  types: {},
  permissions: [
    'dynamodb:DescribeTable',
    'dynamodb:DescribeStream',
    'dynamodb:GetShardIterator',
    'dynamodb:GetRecords',
  ],
  inCell: ({ table }, within) => within.table(table),
  physicalNames: () => [],
  resources: () => [],

  async ensure({ aws: { streams }, spec: { table } }) {
    const stream = await streams.findStream(table);
    if (stream === undefined)
      return {
        status: 'ready',
        outputs: { position: '' },
        detail: `table ${table} has no stream: rows are compared instead`,
      };
    const position = JSON.stringify(await streams.notePosition(stream));
    if (position.length > LONGEST_POSITION)
      return {
        status: 'ready',
        outputs: { position: '' },
        detail: `stream ${stream} has too many shards to note where each is: rows are compared instead`,
      };
    return { status: 'ready', outputs: { position }, detail: `stream ${stream}` };
  },

  observe: async ({ notOurs, previous: { position }, removingAt }) =>
    position === undefined || removingAt
      ? { status: 'absent', detail: 'no position is noted', others: await notOurs([]) }
      : { status: 'ready', detail: 'the position is noted' },
  differs: () => Promise.resolve([]),
  remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }),
};
