import type { QueryCommandInput, QueryCommandOutput } from '@aws-sdk/lib-dynamodb';

/** Where a page begins; nothing for the first. */
export type PageStart = Pick<QueryCommandInput, 'ExclusiveStartKey'>;

/** The pages of a query or scan, one after the other. */
export async function* pagesOf<P extends Pick<QueryCommandOutput, 'LastEvaluatedKey'>>(
  read: (start: PageStart) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let start: PageStart = {};
  for (;;) {
    const page = await read(start);
    yield page;
    if (page.LastEvaluatedKey === undefined) return;
    start = { ExclusiveStartKey: page.LastEvaluatedKey };
  }
}
