import type { TableLook } from '../aws/dynamodb.ts';

const KEYS = 'HASH PK S, RANGE SK S';
const VIEW = 'NEW_AND_OLD_IMAGES';

/** The key of a table as tenants' items have it, as a remedy names it. */
export const tableKey = KEYS;

/** How a table differs from one with the key `PK` and `SK`, these indexes with keys of their names, and a stream; as sentences. */
export function tableShapeProblems(
  { status, keys, indexes, streamViewType }: TableLook,
  wantedIndexes: readonly string[],
): string[] {
  const wrongIndexes = wantedIndexes.flatMap((name) => {
    const wanted = `HASH ${name}PK S, RANGE ${name}SK S`;
    const index = indexes[name];
    if (!index) return [`lacks index ${name} (${wanted}, projection ALL): add it`];
    if (index.keys !== wanted) return [`index ${name} has key ${index.keys}, wanted is ${wanted}: replace the index`];
    return index.projection === 'ALL' ? [] : [`index ${name} projects ${index.projection}, wanted is ALL`];
  });
  return [
    ...(status === 'ACTIVE' || status === 'UPDATING' ? [] : [`is ${status}`]),
    ...(keys === KEYS
      ? []
      : [`has key ${keys}, wanted is ${KEYS}: no tenant can be written to it; name another table`]),
    ...wrongIndexes,
    ...(streamViewType === VIEW
      ? []
      : [
          `${streamViewType === undefined ? 'has no stream' : `its stream shows ${streamViewType}`}: enable it with ${VIEW}`,
        ]),
  ];
}
