import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { accountOf } from './account-id.ts';
import { isControlKey } from './control-rows.ts';
import { copyValue } from './copied-value.ts';
import { AccountMovingError, WriteOutcomeUnknownError } from './errors.ts';
import type { Fence } from './fence.ts';
import { FenceItem } from './fence-item.ts';
import type { RowGuard } from './guards/row-guard.ts';
import { assertUnmarked } from './guards/control-mark.ts';
import { assertText } from './guards/rows.ts';
import { writtenFields } from './guards/written-fields.ts';
import { copyWhole } from './input-fields.ts';
import type { OnTable } from './on-table.ts';
import { defaultMoveWaitMs, Patience } from './patience.ts';
import { unlessAborted } from './pause.ts';
import type { TableKeys } from './table-keys.ts';

export interface AdminRowsOptions {
  readonly onTable: OnTable;
  readonly keys: Pick<TableKeys, 'partitionKey' | 'sortKey'>;
  readonly timeoutMs: number;
}

/**
 * Any rows of the shared table, for one call. From the moment at which an account's move has closed its fence until its old rows are deleted, they
 * stay as they are: a row that is written among them would not be in the table that counts, and would keep the others from being deleted. Rows of
 * the control plane stay as they are at all times.
 */
export function adminRows({ onTable, keys, timeoutMs }: AdminRowsOptions): { guard: RowGuard; onTable: OnTable } {
  const accounts = new Set<string>();
  const noted = (field: string, given: unknown) => {
    const row = copyWhole(field, given);
    // What is missing is told by DynamoDB.
    for (const name of [keys.partitionKey, keys.sortKey])
      if (row[name] !== undefined) assertText(`${field}.${name}`, row[name]);
    const accountId = accountOf(row[keys.partitionKey]);
    if (accountId !== undefined) accounts.add(accountId);
    return row;
  };
  const fencesIn = (client: DynamoDBDocumentClient, tableName: string) =>
    [...accounts].map((accountId) => ({
      ...{ accountId, item: new FenceItem({ client, accountId, tableName, keys, timeoutMs }) },
    }));
  return {
    guard: {
      key: noted,
      item(field, given) {
        const row = noted(field, given);
        assertUnmarked(field, row);
        return row;
      },
      readFields: (input) => copyValue(input),
      writtenFields: (input, prefix) => writtenFields(input, prefix),
      isControlKey: (row) => isControlKey(row[keys.partitionKey], row[keys.sortKey]),
    },
    onTable: (kind, run, signal) =>
      onTable(
        kind,
        async (client, tableName) => {
          if (kind === 'read') return run(client, tableName);
          const fences = fencesIn(client, tableName);
          await assertOpen(fences);
          const answer = await run(client, tableName);
          await assertKept(fences, tableName, signal);
          return answer;
        },
        signal,
      ),
  };
}

interface AccountFenceItem {
  readonly accountId: string;
  readonly item: FenceItem;
}

/** That the accounts' rows in the shared table are those that count. @throws AccountMovingError, AccountLookupError */
async function assertOpen(fences: readonly AccountFenceItem[]): Promise<void> {
  await Promise.all(
    fences.map(async ({ accountId, item }) => {
      if (isShut(await item.read())) throw new AccountMovingError(accountId);
    }),
  );
}

/** That they were those when they were written. @throws WriteOutcomeUnknownError; the signal's reason */
async function assertKept(
  fences: readonly AccountFenceItem[],
  tableName: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const patience = new Patience(defaultMoveWaitMs, signal);
  await Promise.all(
    fences.map(async ({ accountId, item }) => {
      const look = () => unlessAborted(item.read(), signal);
      const fence = await patience
        .untilAnswered(look, (last) => last)
        .catch((cause: unknown) => {
          if (signal?.aborted) throw cause;
          throw new WriteOutcomeUnknownError(accountId, tableName, 'unchecked', { cause });
        });
      if (isShut(fence)) throw new WriteOutcomeUnknownError(accountId, tableName, 'moved');
    }),
  );
}

function isShut(fence: Fence | undefined): boolean {
  return fence !== undefined && fence.state !== 'open';
}
