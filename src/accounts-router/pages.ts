import type { QueryCommandInput, QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { copyValue } from './copied-value.ts';

/** Where a page begins; nothing for the first. */
export type PageStart = Pick<QueryCommandInput, 'ExclusiveStartKey'>;

type Page = Pick<QueryCommandOutput, 'LastEvaluatedKey'>;

/** The pages of a query or scan, one after the other; all are of the input as it is now. */
export function pagesOf<I extends object, P extends Page>(
  input: I,
  read: (page: I & PageStart) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  return pagesFrom(copyValue(input), read);
}

async function* pagesFrom<I extends object, P extends Page>(
  input: I,
  read: (page: I & PageStart) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let start: PageStart = {};
  for (;;) {
    const page = await read({ ...input, ...start });
    yield page;
    if (page.LastEvaluatedKey === undefined) return;
    start = { ExclusiveStartKey: page.LastEvaluatedKey };
  }
}
