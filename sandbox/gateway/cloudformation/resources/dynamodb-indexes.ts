import type { GlobalSecondaryIndexUpdate } from '@aws-sdk/client-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import type { GlobalIndex } from './dynamodb-table-shape.ts';
import { HandlerError } from './type.ts';

/** What UpdateTable does to the global indexes. @throws HandlerError for more than one that is made or dropped */
export function indexChangesOf(
  wanted: readonly GlobalIndex[] = [],
  before: readonly GlobalIndex[] = [],
): GlobalSecondaryIndexUpdate[] {
  const named = (of: readonly GlobalIndex[], name: string) => of.find(({ IndexName }) => IndexName === name);
  const dropped = before.filter(({ IndexName }) => !named(wanted, IndexName));
  const made = wanted.filter(({ IndexName }) => !named(before, IndexName));
  const changed = wanted.flatMap((index) => {
    const was = named(before, index.IndexName);
    return was && !isDeepStrictEqual(was, index) ? [{ index, was }] : [];
  });
  // Source: CloudFormation's page on AWS::DynamoDB::Table, GlobalSecondaryIndexes.
  if (dropped.length + made.length > 1)
    throw new HandlerError(
      'InvalidRequest',
      'Cannot perform more than one GSI creation or deletion in a single update',
    );
  for (const { index, was } of changed) refuseOtherKeys(index, was);
  return [
    ...dropped.map(({ IndexName }) => ({ Delete: { IndexName } })),
    ...made.map((index) => ({ Create: index })),
    ...changed.flatMap(({ index: { IndexName, ProvisionedThroughput } }) =>
      ProvisionedThroughput ? [{ Update: { IndexName, ProvisionedThroughput } }] : [],
    ),
  ];
}

function refuseOtherKeys(index: GlobalIndex, was: GlobalIndex): void {
  const fixed = ({ KeySchema, Projection }: GlobalIndex) => [KeySchema, Projection];
  if (isDeepStrictEqual(fixed(index), fixed(was))) return;
  throw new HandlerError(
    'InvalidRequest',
    `Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new GSI with a different name. (${index.IndexName})`,
  );
}
