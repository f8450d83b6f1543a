import { describeHolder, type Tags } from '../../aws/tags.ts';
import type { Difference } from '../../contracts/drift.ts';
import { isSameJson } from '../../contracts/stable-json.ts';

/** Fields by name, each with what is wanted and what was found; those that are the same are left out. */
export function changedFields(
  fields: Readonly<Record<string, readonly [wanted: unknown, found: unknown]>>,
): Difference[] {
  return Object.entries(fields).flatMap(([field, [wanted, found]]) =>
    isSameJson(wanted, found) ? [] : [{ is: 'changed' as const, field, wanted, found }],
  );
}

/** Nothing of the tenant is there under a name. */
export function missingThing(type: string, name: string): Difference {
  return { is: 'missing', field: `${type} ${name}` };
}

/** What held a tenant's data is not there: an empty one in its place would hide that the data is gone. */
export function missingData(type: string, name: string): Difference {
  return { ...missingThing(type, name), remedy: 'hand' };
}

/** Each operation that makes a thing has its own. */
const OPERATION_TAG = 'tenantry:operation-id';

/** What of its ownership mark a thing has lost. Nothing puts a mark back: whose the thing is has to be found out. */
export function lostTags(wanted: Tags, found: Tags): Difference[] {
  return Object.keys(wanted)
    .filter((key) => key !== OPERATION_TAG && found[key] !== wanted[key])
    .map((key) => ({ is: 'changed', field: `tags.${key}`, wanted: wanted[key], found: found[key], remedy: 'hand' }));
}

/** Somebody else's thing has the name of the tenant's. */
export function nameTaken(type: string, name: string, tags: Tags): Difference {
  return { ...missingThing(type, name), found: describeHolder(tags), remedy: 'hand' };
}

/** Lists as sets: their order means nothing. */
export function asSet(values: readonly string[] | undefined): string[] | undefined {
  return values && [...new Set(values)].sort();
}
